import { ShoalError } from '@shoal/core';
import { exploration, lowerBound, upperBound } from './bernoulli-bounds';

export interface AnchorOptions {
  /** How often the model must answer the same where the anchor holds. */
  readonly precision?: number;
  /** Probability that bounds may fail. */
  readonly delta?: number;
  /** How far bounds may lie from what is required. */
  readonly tolerance?: number;
  /** Samples drawn of a candidate at a time. */
  readonly batch?: number;
  /** Candidates kept at each size. */
  readonly beam?: number;
  /** Features in an anchor at most. */
  readonly maxSize?: number | undefined;
  /** Evaluations at most. */
  readonly budget?: number;
}

/** A candidate and what is known of it. */
export interface Arm {
  /** Ascending. */
  readonly features: readonly number[];
  readonly coverage: number;
  drawn: number;
  /** Samples of which the model says the same as of the explained input. */
  same: number;
}

const initial = 10;

function mean({ drawn, same }: Arm): number {
  return drawn === 0 ? 0 : same / drawn;
}

/**
 * The search for an anchor (Ribeiro et al. 2018): candidates grow by one feature at a time; at each size KL-LUCB finds the most precise
 * with few samples, and these are sampled until it is clear whether they are precise enough. It goes in rounds: `pulls` is what must
 * be sampled, `roundOver` says that it has been.
 */
export class AnchorSearch {
  readonly options: Required<Omit<AnchorOptions, 'maxSize'>> & { readonly maxSize: number };
  /** Candidates to sample in this round, [arm, samples]. */
  pulls: readonly (readonly [Arm, number])[] = [];
  best: Arm | undefined;
  done = false;
  private readonly features: number;
  private readonly coverageOf: (features: readonly number[]) => number;
  private size = 0;
  private arms: readonly Arm[];
  private chosen: readonly Arm[] = [];
  /** The candidate being verified; −1: they are still being compared. */
  private verifying = 0;
  private round = 0;
  private fallback: Arm | undefined;

  constructor(features: number, coverageOf: (features: readonly number[]) => number, options: AnchorOptions) {
    const { precision = 0.95, delta = 0.1, tolerance = 0.15, batch = 100, beam = 1, budget = 100_000 } = options;
    if (!(precision > 0 && precision <= 1 && delta > 0 && delta < 1 && tolerance > 0 && tolerance < 1))
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `an anchor's precision, delta and tolerance lie between 0 and 1, got ${precision}, ${delta} and ${tolerance}`,
      );
    if (!(batch >= 1 && beam >= 1 && budget > batch))
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `an anchor's batch and beam must be at least 1 and its budget larger than the batch, got ${batch}, ${beam} and ${budget}`,
      );
    const maxSize = Math.min(features, options.maxSize ?? features);
    this.options = { precision, delta, tolerance, batch, beam, budget, maxSize };
    [this.features, this.coverageOf] = [features, coverageOf];
    const nothing: Arm = { features: [], coverage: 1, drawn: 0, same: 0 };
    [this.arms, this.chosen, this.pulls] = [[nothing], [nothing], [[nothing, batch]]];
  }

  /** Bounds on a candidate's precision. */
  bounds(arm: Arm): { readonly precision: number; readonly lower: number; readonly upper: number } {
    const { delta, beam } = this.options;
    const level = Math.log((1 + (beam - 1) * this.features) / delta) / Math.max(1, arm.drawn);
    const precision = mean(arm);
    return { precision, lower: lowerBound(precision, level), upper: upperBound(precision, level) };
  }

  /** The anchor found; without one, the candidate of which most precision is sure, the smaller of two that are the same. */
  get answer(): Arm | undefined {
    if (this.best !== undefined) return this.best;
    const known = [this.fallback, ...this.chosen, ...this.arms].filter((arm) => arm !== undefined && arm.drawn > 0);
    let [answer, most] = [this.chosen[0], -1];
    for (const arm of known) {
      const { lower } = this.bounds(arm as Arm);
      if (lower > most) [answer, most] = [arm, lower];
    }
    return answer;
  }

  /** All pulls have been sampled: decides what comes next. */
  roundOver(): void {
    this.pulls = [];
    while (this.pulls.length === 0 && !this.done) {
      if (this.verifying < 0) this.compare();
      else if (this.verifying < this.chosen.length) this.verify(this.chosen[this.verifying] as Arm);
      else this.grow();
    }
  }

  /** One round of KL-LUCB: the weakest of the best and the strongest of the rest are sampled until they are told apart. */
  private compare(): void {
    const { beam, delta, tolerance, batch } = this.options;
    const sorted = this.arms.toSorted((a, b) => mean(b) - mean(a));
    this.chosen = sorted.slice(0, beam);
    const rest = sorted.slice(beam);
    this.round++;
    const beta = exploration(this.arms.length, this.round, delta);
    const low = (arm: Arm) => lowerBound(mean(arm), beta / arm.drawn);
    const high = (arm: Arm) => upperBound(mean(arm), beta / arm.drawn);
    const weakest = this.chosen.reduce((a, b) => (low(b) < low(a) ? b : a));
    const strongest = rest.length === 0 ? undefined : rest.reduce((a, b) => (high(b) > high(a) ? b : a));
    if (strongest === undefined || high(strongest) - low(weakest) < tolerance) this.verifying = 0;
    else
      this.pulls = [
        [strongest, batch],
        [weakest, batch],
      ];
  }

  private verify(arm: Arm): void {
    const { precision: required, tolerance, batch } = this.options;
    const { precision, lower, upper } = this.bounds(arm);
    const open = precision >= required ? lower < required - tolerance : upper >= required + tolerance;
    if (arm.drawn === 0 || open) {
      this.pulls = [[arm, batch]];
      return;
    }
    this.verifying++;
    if (precision >= required) {
      if (this.best === undefined || arm.coverage > this.best.coverage) this.best = arm;
    } else if (this.fallback === undefined || precision > mean(this.fallback)) this.fallback = arm;
  }

  /** Candidates of the next size: those chosen, each with one feature more, unless they cover no more than the best anchor. */
  private grow(): void {
    const grown = new Map<string, Arm>();
    if (this.size < this.options.maxSize)
      for (const { features } of this.chosen)
        for (let feature = 0; feature < this.features; feature++) {
          if (features.includes(feature)) continue;
          const more = [...features, feature].toSorted((a, b) => a - b);
          const key = more.join();
          if (grown.has(key)) continue;
          const coverage = this.coverageOf(more);
          if (coverage > (this.best?.coverage ?? -1)) grown.set(key, { features: more, coverage, drawn: 0, same: 0 });
        }
    if (grown.size === 0) {
      this.done = true;
      return;
    }
    this.size++;
    this.arms = [...grown.values()];
    this.verifying = -1;
    this.round = 0;
    this.pulls = this.arms.map((arm) => [arm, initial] as const);
  }
}
