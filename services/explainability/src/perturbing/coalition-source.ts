import type { Estimator, Link, MaskBatch } from '@shoal/explain';
import type { Ask, AskSource } from './ask';
import type { GroupMasker } from './group-masker';

/** What is known of the two coalitions that all methods ask for: [outputs], in link space. */
export interface KnownEnds {
  /** Of everybody: the explained row. */
  readonly full: Float64Array;
  /** Of nobody: the background. */
  readonly empty?: Float64Array | undefined;
}

export interface CoalitionParts {
  readonly masker: GroupMasker;
  readonly link: Link;
  /** [rowsPerMask], adding up to 1. */
  readonly weights: Float64Array;
  readonly ends: KnownEnds;
}

/** Turns coalitions into rows, and predictions of rows into coalitions' values: link(mean over the background). */
export class CoalitionSource implements AskSource {
  readonly #estimator: Estimator<unknown>;
  readonly #parts: CoalitionParts;

  constructor(estimator: Estimator<unknown>, parts: CoalitionParts) {
    this.#estimator = estimator;
    this.#parts = parts;
  }

  get done(): boolean {
    return this.#estimator.done;
  }

  next(maxRows: number): Ask | undefined {
    const { masker } = this.#parts;
    const batch = this.#estimator.next(Math.max(1, Math.floor(maxRows / masker.rowsPerMask)));
    return batch && this.#ask(batch);
  }

  #ask(batch: MaskBatch): Ask {
    const { masker, ends } = this.#parts;
    const known = Array.from({ length: batch.count }, (_, mask) => knownValue(batch, mask, ends));
    const unknown = known.flatMap((value, mask) => (value ? [] : [mask]));
    return {
      rows: unknown.length * masker.rowsPerMask,
      write(into) {
        for (const [at, mask] of unknown.entries()) masker.write(batch, mask, into, at * masker.rowsPerMask);
      },
      tell: (predictions) => this.#tell(known, predictions),
    };
  }

  #tell(known: readonly (Float64Array | undefined)[], predictions: Float64Array): void {
    const { link, weights, ends } = this.#parts;
    const outputs = ends.full.length;
    const values = new Float64Array(known.length * outputs);
    let at = 0;
    for (const [mask, value] of known.entries()) {
      if (value) {
        values.set(value, mask * outputs);
        continue;
      }
      for (let output = 0; output < outputs; output += 1) {
        let mean = 0;
        for (let row = 0; row < weights.length; row += 1) {
          mean += (weights[row] as number) * (predictions[at + row * outputs + output] as number);
        }
        values[mask * outputs + output] = link.apply(mean);
      }
      at += weights.length * outputs;
    }
    this.#estimator.tell(values);
  }
}

function knownValue({ masks, players }: MaskBatch, mask: number, { full, empty }: KnownEnds): Float64Array | undefined {
  const from = mask * players;
  const first = masks[from];
  for (let player = 1; player < players; player += 1) if (masks[from + player] !== first) return undefined;
  return first === 0 ? empty : full;
}
