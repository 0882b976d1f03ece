import type { SimulationOutcome } from './outcome';

/** What is wanted of a number of runners. */
export interface Objective {
  readonly p99Ms: number;
  /** Share of the requests that may be refused or given up. */
  readonly shed: number;
}

/** Whether an outcome is good enough. Without an answer it is not. */
export function meets({ latency, offered, answered }: SimulationOutcome, objective: Objective): boolean {
  return latency.quantile(0.99) <= objective.p99Ms && offered - answered <= objective.shed * offered;
}

/** The search's answer: undefined when even the largest number is not enough. */
export interface RunnersNeeded {
  readonly runners: number | undefined;
  /** Everything that was tried, in order of the number of runners. */
  readonly tried: readonly SimulationOutcome[];
}

/**
 * The least number of runners that meets an objective, given that more are never worse: doubling up from `from`, then halving
 * what lies between. `try_` simulates a number.
 */
export function* runnersNeeded(
  from: number,
  most: number,
  objective: Objective,
): Generator<number, RunnersNeeded, SimulationOutcome> {
  const tried: SimulationOutcome[] = [];
  const done = (runners: number | undefined): RunnersNeeded => ({
    runners,
    tried: tried.toSorted((a, b) => a.runners - b.runners),
  });
  /** Too few, for all that is known. */
  let low = 0;
  let high = Math.min(most, Math.max(1, from));
  for (;;) {
    const outcome = yield high;
    tried.push(outcome);
    if (meets(outcome, objective)) break;
    if (high === most) return done(undefined);
    low = high;
    high = Math.min(most, Math.ceil(high * growth));
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const outcome = yield middle;
    tried.push(outcome);
    if (meets(outcome, objective)) high = middle;
    else low = middle;
  }
  return done(high);
}

const growth = 1.5;
