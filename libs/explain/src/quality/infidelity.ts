import { seededRandom, ShoalError } from '@shoal/core';
import { maskEstimator, rowEstimator, type Plan } from '../asking';
import type { Estimator, RowEstimator } from '../estimator';
import { Moments } from '../games/moments';
import { normal } from '../gradient/normal';

export interface InfidelityOptions {
  /** What is judged: for each output, [players] or [features]. */
  readonly attributions: readonly Float64Array[];
  /** Perturbations drawn. */
  readonly samples?: number;
  readonly seed: number;
  /** Scale attributions by the factor that fits best first, so that only their proportions are judged. */
  readonly scaled?: boolean;
}

export interface Infidelity {
  /** Mean of (Iᵀφ − (f(x) − f(x − I)))² for each output; 0: the attributions foretell every change. */
  readonly values: Float64Array;
  /** Standard errors of these means; NaN with fewer than two samples, or when scaled. */
  readonly standardErrors: Float64Array;
  /** The factors that were applied: Σab / Σa² with a = Iᵀφ and b the change; 1 when not scaled. */
  readonly factors: Float64Array;
  readonly evaluations: number;
}

/** Draws what is taken away, the same for the same seed; one copy writes, another knows it when told. */
interface Perturbations<A> {
  draw(): void;
  write(into: A, at: number): void;
  /** Iᵀφ of what was drawn last. */
  foretold(attribution: Float64Array): number;
}

class InfidelityPlan<A extends Uint8Array | Float64Array> implements Plan<A, Infidelity> {
  readonly width: number;
  private readonly options: InfidelityOptions;
  private readonly samples: number;
  private readonly own: (into: A, at: number) => void;
  private readonly ahead: Perturbations<A>;
  private readonly behind: Perturbations<A>;
  private written = 0;
  private full: Float64Array | undefined;
  private readonly errors: Moments;
  /** Of each output, sums of a², ab and b². */
  private readonly sums: Float64Array;
  private readonly observed: Float64Array;
  done = false;

  constructor(
    width: number,
    options: InfidelityOptions,
    own: (into: A, at: number) => void,
    make: () => Perturbations<A>,
  ) {
    const { attributions, samples = 10 } = options;
    if (attributions.length === 0 || attributions.some(({ length }) => length !== width) || !(samples >= 1))
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `infidelity needs attributions of ${width} features and at least one sample, got ${samples}`,
      );
    [this.width, this.options, this.samples, this.own] = [width, options, Math.floor(samples), own];
    [this.ahead, this.behind] = [make(), make()];
    this.errors = new Moments(attributions.length);
    this.sums = new Float64Array(3 * attributions.length);
    this.observed = new Float64Array(attributions.length);
  }

  write(into: A, at: number): boolean {
    if (this.written > this.samples) return false;
    if (this.written++ === 0) this.own(into, at);
    else {
      this.ahead.draw();
      this.ahead.write(into, at);
    }
    return true;
  }

  take(values: Float64Array): void {
    const { attributions } = this.options;
    if (values.length !== attributions.length)
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `attributions are of ${attributions.length} outputs, the model gives ${values.length}`,
      );
    if (this.full === undefined) {
      this.full = values.slice();
      return;
    }
    this.behind.draw();
    for (const [o, attribution] of attributions.entries()) {
      const a = this.behind.foretold(attribution);
      const b = (this.full[o] as number) - (values[o] as number);
      this.observed[o] = (a - b) ** 2;
      for (const [i, term] of [a * a, a * b, b * b].entries())
        this.sums[3 * o + i] = (this.sums[3 * o + i] as number) + term;
    }
    this.errors.add(this.observed);
    this.done = this.errors.count === this.samples;
  }

  result(): Infidelity | undefined {
    const { count } = this.errors;
    if (count === 0) return undefined;
    const scaled = this.options.scaled === true;
    const factors = this.observed.map((_, o) => {
      const [aa, ab] = [this.sums[3 * o] as number, this.sums[3 * o + 1] as number];
      return scaled && aa > 0 ? ab / aa : 1;
    });
    const values = factors.map((factor, o) => {
      if (!scaled) return this.errors.mean[o] as number;
      const [aa, ab, bb] = this.sums.subarray(3 * o, 3 * o + 3) as unknown as [number, number, number];
      return Math.max(0, factor * factor * aa - 2 * factor * ab + bb) / count;
    });
    const standardErrors = scaled ? factors.map(() => Number.NaN) : this.errors.errors();
    return { values, standardErrors, factors, evaluations: count + 1 };
  }
}

/**
 * Infidelity (Yeh et al. 2019) of attributions to players: random players, each by the toss of a coin, are taken away, and the fall of
 * the output is compared with the sum of their values.
 */
export function infidelityOfMasks(options: InfidelityOptions): Estimator<Infidelity> {
  const players = options.attributions[0]?.length ?? 0;
  const make = (): Perturbations<Uint8Array> => {
    const random = seededRandom(options.seed);
    const mask = new Uint8Array(players);
    return {
      draw() {
        for (let i = 0; i < players; i++) mask[i] = random.next() < 0.5 ? 1 : 0;
      },
      write: (masks, at) => masks.set(mask, at),
      foretold: (attribution) => attribution.reduce((sum, value, i) => sum + (mask[i] === 1 ? 0 : value), 0),
    };
  };
  return maskEstimator(new InfidelityPlan(players, options, (masks, at) => masks.fill(1, at, at + players), make));
}

export interface NoiseInfidelityOptions extends InfidelityOptions {
  /** The explained row, [features]. */
  readonly row: Float64Array;
  /** Standard deviations of the noise that is taken away, [features]. */
  readonly spreads: Float64Array;
}

/** Infidelity of sensitivities (gradients): normal noise I is taken away, and foretold is Σ Iᵢ·φᵢ. */
export function infidelityOfNoise(options: NoiseInfidelityOptions): RowEstimator<Infidelity> {
  const { row, spreads, seed } = options;
  if (spreads.length !== row.length)
    throw new ShoalError('INVALID_ARGUMENT', `${row.length} features need as many spreads, got ${spreads.length}`);
  const make = (): Perturbations<Float64Array> => {
    const gauss = normal(seededRandom(seed));
    const noise = new Float64Array(row.length);
    return {
      draw() {
        for (const [i, spread] of spreads.entries()) noise[i] = gauss() * spread;
      },
      write: (rows, at) =>
        rows.set(
          row.map((value, i) => value - (noise[i] as number)),
          at,
        ),
      foretold: (attribution) => attribution.reduce((sum, value, i) => sum + value * (noise[i] as number), 0),
    };
  };
  return rowEstimator(new InfidelityPlan(row.length, options, (rows, at) => rows.set(row, at), make));
}
