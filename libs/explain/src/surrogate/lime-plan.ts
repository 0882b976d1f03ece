import { ShoalError } from '@shoal/core';
import type { Plan } from '../asking';
import { attribution, type Attribution, type StopReason } from '../attribution';
import { Looks, settled } from '../games/convergence';
import { type Fit, weightedFit } from './weighted-fit';

export interface LimeOptions {
  /** Samples drawn, the explained input among them: evaluations. */
  readonly samples?: number;
  /** Penalty of large coefficients. */
  readonly ridge?: number;
  /** How fast samples count less the further they are: weight √exp(−d²/width²). */
  readonly kernelWidth?: number;
  readonly seed: number;
  /** Stop once the largest standard error of every output is below this part of the range of its values. */
  readonly targetError?: number | undefined;
}

/** What the local linear model says of one output: its base value is the intercept, its values are coefficients × the explained input's terms. */
export interface LimeOutput extends Attribution {
  /** Of the interpretable terms, [terms]. */
  readonly coefficients: Float64Array;
  /** Weighted R² of the local model on its samples: far below 1, it does not describe the model well. */
  readonly r2: number;
}

export interface LimeResult {
  readonly outputs: readonly LimeOutput[];
  readonly exact: false;
  readonly converged: boolean;
  readonly stopReason: StopReason;
  readonly evaluations: number;
}

/** Random samples, the same for the same seed; the first is the explained input. */
export interface LimeSamples<A> {
  /** Interpretable terms of the sample drawn last, [terms]. */
  readonly terms: Float64Array;
  /** Draws the next one; returns its distance from the explained input. */
  draw(): number;
  /** Writes it as a question. */
  write(into: A, at: number): void;
}

const mostSamples = 1_000_000;
/** Samples before an error is believed, for each term. */
const leastBelieved = 4;

/**
 * LIME's bookkeeping. Of what is told only the answers are kept (8 bytes for each sample and output); the samples are drawn again
 * by the seed when the local model is fitted.
 */
export class LimePlan<A extends Uint8Array | Float64Array> implements Plan<A, LimeResult> {
  readonly width: number;
  private readonly make: () => LimeSamples<A>;
  private readonly options: LimeOptions;
  private readonly samples: number;
  private readonly kernelWidth: number;
  private readonly ahead: LimeSamples<A>;
  private readonly looks: Looks;
  private written = 0;
  private taken = 0;
  private outputs = 0;
  private answers: Float64Array = new Float64Array(0);
  private fitted: { readonly at: number; readonly outputs: readonly LimeOutput[] | undefined } | undefined;
  private converged = false;
  done = false;

  constructor(
    width: number,
    make: () => LimeSamples<A>,
    options: LimeOptions,
    defaults: { readonly samples: number; readonly kernelWidth: number },
  ) {
    this.ahead = make();
    const least = this.ahead.terms.length + 2;
    const { samples = defaults.samples, kernelWidth = defaults.kernelWidth, ridge = 1 } = options;
    if (!(Number.isInteger(samples) && samples >= least && samples <= mostSamples))
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `LIME over ${least - 2} features needs from ${least} to ${mostSamples} samples, got ${samples}`,
      );
    if (!(kernelWidth > 0) || !(ridge >= 0))
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `LIME's kernel width must be more than 0 and its ridge at least 0, got ${kernelWidth} and ${ridge}`,
      );
    [this.width, this.make, this.options, this.samples, this.kernelWidth] = [
      width,
      make,
      options,
      samples,
      kernelWidth,
    ];
    this.looks = new Looks(Math.max(50, leastBelieved * least));
  }

  write(into: A, at: number): boolean {
    if (this.written === this.samples) return false;
    this.written++;
    this.ahead.draw();
    this.ahead.write(into, at);
    return true;
  }

  take(values: Float64Array): void {
    if (this.taken === 0) {
      this.outputs = values.length;
      this.answers = new Float64Array(this.samples * values.length);
    }
    this.answers.set(values, this.taken++ * this.outputs);
    const { targetError } = this.options;
    if (targetError !== undefined && this.looks.due(this.taken))
      this.converged =
        this.fit()?.every(({ coefficients, standardErrors }) =>
          settled(coefficients, standardErrors as Float64Array, targetError),
        ) ?? false;
    this.done = this.converged || this.taken === this.samples;
  }

  result(): LimeResult | undefined {
    const outputs = this.taken < this.ahead.terms.length + 2 ? undefined : this.fit();
    if (outputs === undefined) return undefined;
    const stopReason = this.converged ? 'target_error' : 'budget';
    return { outputs, exact: false, converged: this.converged, stopReason, evaluations: this.taken };
  }

  private fit(): readonly LimeOutput[] | undefined {
    if (this.fitted?.at !== this.taken) this.fitted = { at: this.taken, outputs: this.fitNow() };
    return this.fitted.outputs;
  }

  private fitNow(): readonly LimeOutput[] | undefined {
    const { make, taken, kernelWidth, outputs, answers } = this;
    const first = make();
    first.draw();
    const own = first.terms;
    const fits = weightedFit(
      {
        terms: own.length,
        outputs,
        count: taken,
        y: answers,
        forEach(visit) {
          const samples = make();
          for (let index = 0; index < taken; index++) {
            const distance = samples.draw();
            visit(index, samples.terms, Math.sqrt(Math.exp(-((distance / kernelWidth) ** 2))));
          }
        },
      },
      this.options.ridge ?? 1,
    );
    return fits?.map((fit, o) => outputOf(fit, own, answers[o] as number));
  }
}

function outputOf({ coefficients, standardErrors, intercept, r2 }: Fit, own: Float64Array, value: number): LimeOutput {
  const shares = coefficients.map((coefficient, i) => coefficient * (own[i] as number));
  const errors = standardErrors.map((error, i) => error * Math.abs(own[i] as number));
  return { ...attribution(shares, errors, intercept, value), coefficients, r2 };
}
