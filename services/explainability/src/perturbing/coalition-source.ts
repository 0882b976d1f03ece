import { type Estimator, type Link, type MaskBatch, type Masker, coalitionValues } from '@shoal/explain';
import type { Ask, AskSource } from './ask';

/** What is known of the two coalitions that all methods ask for: [outputs], in link space. */
export interface KnownEnds {
  /** Of everybody: the explained row. */
  readonly full: Float64Array;
  /** Of nobody: the background. */
  readonly empty?: Float64Array | undefined;
}

export interface CoalitionParts {
  readonly masker: Masker;
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

  work(): boolean {
    return this.#estimator.work?.() ?? false;
  }

  #ask(batch: MaskBatch): Ask {
    const { masker, ends } = this.#parts;
    const known = Array.from({ length: batch.count }, (_, mask) => knownValue(batch, mask, ends));
    const unknown = without(batch, known);
    return {
      rows: unknown.count * masker.rowsPerMask,
      sizes: () => masker.byteSizes(unknown, 0, unknown.count),
      write: (into) => masker.write(unknown, 0, unknown.count, into),
      tell: (predictions) => this.#tell(known, predictions),
    };
  }

  #tell(known: readonly (Float64Array | undefined)[], predictions: Float64Array): void {
    const { link, weights, ends } = this.#parts;
    const outputs = ends.full.length;
    const asked = coalitionValues(predictions, weights.length, outputs, link, weights);
    const values = new Float64Array(known.length * outputs);
    let at = 0;
    for (const [mask, value] of known.entries()) {
      values.set(value ?? asked.subarray(at, at + outputs), mask * outputs);
      if (!value) at += outputs;
    }
    this.#estimator.tell(values);
  }
}

/** The coalitions that have to be asked for. */
function without(batch: MaskBatch, known: readonly (Float64Array | undefined)[]): MaskBatch {
  const { players, masks } = batch;
  const unknown = known.flatMap((value, mask) => (value ? [] : [mask]));
  if (unknown.length === batch.count) return batch;
  const rest = new Uint8Array(unknown.length * players);
  for (const [at, mask] of unknown.entries()) {
    rest.set(masks.subarray(mask * players, (mask + 1) * players), at * players);
  }
  return { count: unknown.length, players, masks: rest };
}

function knownValue({ masks, players }: MaskBatch, mask: number, { full, empty }: KnownEnds): Float64Array | undefined {
  const from = mask * players;
  const first = masks[from];
  for (let player = 1; player < players; player += 1) if (masks[from + player] !== first) return undefined;
  return first === 0 ? empty : full;
}
