import type { Link, RowBatch, RowEstimator } from '@shoal/explain';
import { fromNumbers } from '@shoal/tensor';
import type { ExplainedInput } from '../requests/players';
import type { Ask, AskSource } from './ask';

/** Turns rows of numbers into rows of the explained inputs, and tells their predictions, in link space. */
export class RowSource implements AskSource {
  readonly #estimator: RowEstimator<unknown>;
  readonly #inputs: readonly ExplainedInput[];
  readonly #link: Link | undefined;

  /** @param link undefined: predictions are told as they are */
  constructor(estimator: RowEstimator<unknown>, inputs: readonly ExplainedInput[], link?: Link) {
    [this.#estimator, this.#inputs, this.#link] = [estimator, inputs, link];
  }

  get done(): boolean {
    return this.#estimator.done;
  }

  next(maxRows: number): Ask | undefined {
    const batch = this.#estimator.next(maxRows);
    if (!batch) return undefined;
    const link = this.#link;
    return {
      rows: batch.count,
      write: (into) => writeRows(batch, this.#inputs, into),
      tell: (predictions) => this.#estimator.tell(link ? predictions.map((value) => link.apply(value)) : predictions),
    };
  }
}

/** Rows of numbers as raw contents of each input. */
export function writeRows(
  { rows, features, count }: RowBatch,
  inputs: readonly ExplainedInput[],
  into: readonly Uint8Array[],
): void {
  let column = 0;
  for (const [at, { datatype, elements }] of inputs.entries()) {
    const values = new Float64Array(count * elements);
    for (let row = 0; row < count; row += 1) {
      const from = row * features + column;
      values.set(rows.subarray(from, from + elements), row * elements);
    }
    into[at]?.set(fromNumbers(datatype, values));
    column += elements;
  }
}

/** Several sources, one after the other; a later one asks while an earlier one waits. */
export class SourceRow implements AskSource {
  readonly #sources: readonly AskSource[];

  constructor(sources: readonly AskSource[]) {
    this.#sources = sources;
  }

  get done(): boolean {
    return this.#sources.every(({ done }) => done);
  }

  next(maxRows: number): Ask | undefined {
    for (const source of this.#sources) {
      const ask = source.done ? undefined : source.next(maxRows);
      if (ask) return ask;
    }
    return undefined;
  }
}
