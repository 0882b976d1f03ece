import type { Plan } from '../asking';
import { indexOfLargest } from '../perturb/losses';
import type { AnchorSearch, Arm } from './anchor-search';

/** What the model's answer amounts to; samples whose label is the explained input's count as the same. */
export type Label = (values: Float64Array) => number;

/** The largest of several outputs; of one, whether it is above one half. */
export const usualLabel: Label = (values) =>
  values.length > 1 ? indexOfLargest(values) : (values[0] as number) > 0.5 ? 1 : 0;

/** A condition under which the model answers (nearly) always as for the explained input. */
export interface Anchor {
  /** Features that stay as they are, ascending. */
  readonly features: readonly number[];
  /** How often the label was the same where they did. */
  readonly precision: number;
  /** Bounds on it that hold with probability 1 − delta each. */
  readonly lower: number;
  readonly upper: number;
  /** Part of all inputs for which the condition holds. */
  readonly coverage: number;
  /** Samples that the precision comes from. */
  readonly samples: number;
  /** The label of the explained input. */
  readonly label: number;
  /** It is as precise as was asked; false: this is the best that was found. */
  readonly found: boolean;
  readonly stopReason: 'target_error' | 'budget';
  readonly evaluations: number;
}

/** Draws what is evaluated. */
export interface AnchorSampler<A> {
  /** Writes the explained input. */
  own(into: A, at: number): void;
  /** Writes a random input for which the condition holds. */
  draw(features: readonly number[], into: A, at: number): void;
}

/** Evaluates the rounds of an anchor search: the explained input first, then what each round must sample. */
export class AnchorPlan<A extends Uint8Array | Float64Array> implements Plan<A, Anchor> {
  readonly width: number;
  private readonly search: AnchorSearch;
  private readonly sampler: AnchorSampler<A>;
  private readonly labelOf: Label;
  private label: number | undefined;
  private started = false;
  /** Places within the round: of what is written, and of what is taken. */
  private readonly ahead = { pull: 0, sample: 0 };
  private readonly behind = { pull: 0, sample: 0 };
  private taken = 0;
  private overBudget = false;

  constructor(width: number, search: AnchorSearch, sampler: AnchorSampler<A>, labelOf: Label) {
    [this.width, this.search, this.sampler, this.labelOf] = [width, search, sampler, labelOf];
  }

  get done(): boolean {
    return this.search.done || this.overBudget;
  }

  write(into: A, at: number): boolean {
    if (!this.started) {
      this.started = true;
      this.sampler.own(into, at);
      return true;
    }
    const arm = this.step(this.ahead);
    if (arm === undefined) return false;
    this.sampler.draw(arm.features, into, at);
    return true;
  }

  /** The candidate whose turn it is, and on to the next; undefined: the round is over. */
  private step(place: { pull: number; sample: number }): Arm | undefined {
    const pull = this.search.pulls[place.pull];
    if (pull === undefined) return undefined;
    if (++place.sample === pull[1]) {
      place.pull++;
      place.sample = 0;
    }
    return pull[0];
  }

  take(values: Float64Array): void {
    this.taken++;
    if (this.label === undefined) {
      this.label = this.labelOf(values);
      return;
    }
    const arm = this.step(this.behind) as Arm;
    arm.drawn++;
    if (this.labelOf(values) === this.label) arm.same++;
    if (this.behind.pull < this.search.pulls.length) return;
    this.search.roundOver();
    this.ahead.pull = 0;
    this.behind.pull = 0;
    const round = this.search.pulls.reduce((sum, [, samples]) => sum + samples, 0);
    this.overBudget = this.taken + round > this.search.options.budget;
  }

  result(): Anchor | undefined {
    const { answer, best } = this.search;
    if (answer === undefined || answer.drawn === 0 || this.label === undefined) return undefined;
    return {
      features: answer.features,
      ...this.search.bounds(answer),
      coverage: answer.coverage,
      samples: answer.drawn,
      label: this.label,
      found: best !== undefined,
      stopReason: this.overBudget ? 'budget' : 'target_error',
      evaluations: this.taken,
    };
  }
}
