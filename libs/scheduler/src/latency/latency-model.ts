import { type FitPoint, type Line, fitLine } from './fit-line';
import { halfOctave } from './half-octave';
import { SampleWindow } from './sample-window';

/** What a model is known by: small enough to be kept over a restart. */
export interface LatencyCurve extends Line {
  /** 95 of 100 batches take at most this many times what the line says. */
  readonly high: number;
  /** Batches that it was made of, as far as they are remembered. */
  readonly samples: number;
}

/** Batches of a size before their median says anything. */
const enoughOfSize = 8;
/** Sizes must differ by this factor for a slope. */
const enoughSpread = 1.25;
/** Batches in all before anything is decided by the line, or by how far batches stray from it. */
const enoughToAim = 32;
const enoughToDrop = 64;

/** A new line is made after so many batches, or of fewer after so long: both bound what that costs. */
const refitBatches = 128;
const refitMs = 250;

/** Nothing is given up for what was measured longer ago: one run a second at least shows whether it still holds. */
const freshMs = 1_000;

/** A curve that was kept is believed while what is measured is within this factor of it. */
const priorTrust = 2;

/**
 * How long a batch of b rows takes, learnt from those that ran: ℓ(b) = α + β·b through the medians of the newest 64 batches
 * of each size, and how far batches stray from that. Medians and quantiles of windows: no single batch moves them, and
 * what is past is forgotten. Times in milliseconds.
 */
export class LatencyModel {
  readonly #windows: (SampleWindow | undefined)[] = [];
  #learnt: LatencyCurve | undefined;
  #low = 1;
  /** What the newest batch took, as part of what the line says. */
  #newest = 1;
  /** The line has a slope: sizes differed enough. Else it says what the one size takes. */
  #sloped = false;
  /** The smallest size that the line says something of. */
  #smallest = Infinity;
  #sinceFit = 0;
  #fittedAt = -Infinity;
  #newestAt = -Infinity;
  /** When one was last let through that seemed too late, or the first one was not. */
  #triedAt = Infinity;
  #prior: LatencyCurve | undefined;

  /** @param prior From before; decides nothing but how large a batch should be, and is dropped when it turns out wrong. */
  constructor(prior?: LatencyCurve) {
    this.#prior = prior;
  }

  /** A batch of `rows` rows ran for `ms`. True when the curve was made anew. */
  observe(now: number, rows: number, ms: number): boolean {
    const index = halfOctave(rows);
    const window = (this.#windows[index] ??= new SampleWindow());
    // A clock that does not move says that it was short, not that it was nothing.
    window.add(rows, Math.max(ms, 1e-3));
    this.#newestAt = now;
    if (this.#learnt) this.#newest = ms / (this.#learnt.alphaMs + this.#learnt.betaMs * rows);
    this.#sinceFit += 1;
    if (this.#sinceFit < refitBatches && now - this.#fittedAt < refitMs) return false;
    this.#fit(now);
    return true;
  }

  /** What was learnt; undefined while that is nothing. Where all batches had about one size, β is 0 and α what the smallest took. */
  get learnt(): LatencyCurve | undefined {
    return this.#learnt;
  }

  /** The curve to choose sizes by, learnt or from before; undefined while there is none. */
  get plan(): LatencyCurve | undefined {
    const learnt = this.#learnt;
    return learnt !== undefined && this.#sloped && learnt.samples >= enoughToAim ? learnt : this.#prior;
  }

  /**
   * What 95 of 100 batches with so many rows take at least, or less where the newest batch was faster than these; 0 where that is not known: fewer than 64 batches are
   * remembered, or the smallest size seen is more than twice as large (larger at all, where there is no slope).
   */
  least(rows: number): number {
    const learnt = this.#learnt;
    if (learnt === undefined || learnt.samples < enoughToDrop || rows < this.#smallest) return 0;
    return Math.min(this.#low, this.#newest) * (learnt.alphaMs + learnt.betaMs * rows);
  }

  /** The same, and 0 where the newest batch ended more than a second (or four runs) ago. */
  leastNow(now: number, rows: number): number {
    const ms = this.least(rows);
    return now - this.#newestAt <= Math.max(freshMs, 4 * ms) ? ms : 0;
  }

  /**
   * Whether a request that seems too late is to run all the same: one each second, so that what is known of those that run does
   * not for ever decide for those that never do. Quick ones may be as large as slow ones.
   */
  tries(now: number): boolean {
    const due = now - this.#triedAt >= freshMs;
    if (due || this.#triedAt === Infinity) this.#triedAt = now;
    return due;
  }

  #fit(now: number): void {
    this.#sinceFit = 0;
    this.#fittedAt = now;
    const points: FitPoint[] = [];
    let samples = 0;
    let smallest = Infinity;
    let largest = 0;
    for (const window of this.#windows) {
      if (window === undefined) continue;
      samples += window.count;
      if (window.count < enoughOfSize) continue;
      const rows = window.medianRows;
      smallest = Math.min(smallest, rows);
      largest = Math.max(largest, rows);
      points.push({ rows, ms: window.medianMs, count: window.count });
    }
    this.#checkPrior(points);
    const [first] = points;
    if (first === undefined) return;
    this.#sloped = largest >= enoughSpread * smallest;
    this.#smallest = this.#sloped ? smallest / 2 : smallest;
    // It may be what keeps all batches at one size, and right of that size alone.
    if (!this.#sloped && samples >= enoughToDrop) this.#prior = undefined;
    this.#settle(samples, this.#sloped ? fitLine(points) : { alphaMs: first.ms, betaMs: 0 });
  }

  #checkPrior(points: readonly FitPoint[]): void {
    const prior = this.#prior;
    if (prior === undefined) return;
    for (const { rows, ms } of points) {
      const ratio = ms / (prior.alphaMs + prior.betaMs * rows);
      if (!(ratio <= priorTrust && ratio >= 1 / priorTrust)) this.#prior = undefined;
    }
  }

  /** Takes the line, and how far batches stray from it: the fifth and the ninety-fifth of a hundred. */
  #settle(samples: number, { alphaMs, betaMs }: Line): void {
    const ratios = new Float64Array(samples);
    let at = 0;
    for (const window of this.#windows) {
      if (window !== undefined) at = window.ratios((rows) => alphaMs + betaMs * rows, ratios, at);
    }
    ratios.sort();
    this.#low = ratios[Math.floor(0.05 * (at - 1))] as number;
    this.#learnt = { alphaMs, betaMs, high: ratios[Math.ceil(0.95 * (at - 1))] as number, samples };
  }
}
