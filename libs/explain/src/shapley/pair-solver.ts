import { atOnce, type Steps } from '../steps';
import { type PairRegression, type Solution, tellsInSteps } from './pair-regression';

/** Solves a regression in steps, and remembers what it found for as long as nothing is added. */
export class PairSolver {
  private steps: Steps<Solution[]> | undefined;
  private found: { readonly pairs: number; readonly solutions: readonly Solution[] } | undefined;

  /** Begins: nothing must be added to the regression before the last step. */
  start(regression: PairRegression): void {
    const { count } = regression;
    this.steps = this.remembering(regression.solutions(), count);
  }

  private *remembering(steps: Steps<Solution[]>, pairs: number): Steps<Solution[]> {
    const solutions = yield* steps;
    this.found = { pairs, solutions };
    return solutions;
  }

  /** There are steps left. */
  get due(): boolean {
    return this.steps !== undefined;
  }

  /** The next step; what was found by the last one. */
  step(): readonly Solution[] | undefined {
    const step = this.steps?.next();
    if (step?.done !== true) return undefined;
    this.steps = undefined;
    return step.value;
  }

  /** What the pairs so far say: of many players without errors (NaN), unless it was found before. */
  solutions(regression: PairRegression): readonly Solution[] {
    const { found } = this;
    if (found?.pairs === regression.count) return found.solutions;
    if (regression.players <= tellsInSteps) return atOnce(regression.solutions());
    const unknown = new Float64Array(regression.players).fill(Number.NaN);
    return atOnce(regression.estimates()).map((values) => ({ values, errors: unknown }));
  }
}
