import type { DataSet } from '@shoal/explain';
import { toNumbers } from '@shoal/tensor';
import type { ExplainedInput } from '../requests/players';
import { invalid, quoted } from '../requests/refuse';
import type { Answer, MethodContext } from './method';

/** Rows of all explained inputs, one input's elements after the other's, as numbers: [count × elements]. */
export function numbersOf(
  inputs: readonly ExplainedInput[],
  contents: readonly Uint8Array[],
  count: number,
): Float64Array {
  const width = elementsOf(inputs);
  const rows = new Float64Array(count * width);
  let column = 0;
  for (const [at, { datatype, elements }] of inputs.entries()) {
    const numbers = toNumbers(datatype, contents[at] as Uint8Array);
    for (let row = 0; row < count; row += 1) {
      rows.set(numbers.subarray(row * elements, (row + 1) * elements), row * width + column);
    }
    column += elements;
  }
  return rows;
}

/** Numbers in one row of all explained inputs. */
export function elementsOf(inputs: readonly ExplainedInput[]): number {
  return inputs.reduce((sum, { elements }) => sum + elements, 0);
}

/** The explained row as numbers, one for each feature. @throws ShoalError INVALID_ARGUMENT where features are anything else */
export function rowOf({ players, row }: MethodContext, method: string): Float64Array {
  const [text] = players.texts;
  if (text) throw invalid(`${method} is of numbers; input ${quoted(text.name)} is a text`);
  if (!players.single) {
    throw invalid(`${method} is of single numbers: explain elements, without groups, grid, fixed or removal`);
  }
  return numbersOf(players.inputs, row, 1);
}

/** The background's rows, as they are. @throws ShoalError INVALID_ARGUMENT where there are none that are typical */
export function dataOf({ players, background, options }: MethodContext, method: string): DataSet & { count: number } {
  if (background.count < 2 || background.source === 'generated') {
    throw invalid(`${method} looks at typical rows: give a baseline of several (baseline.rows, baseline.background)`);
  }
  if ((options.baseline?.summarize ?? 0) > 0) {
    throw invalid(`${method} counts rows as they are: draw some (baseline.sample) rather than summarize them`);
  }
  const rows = numbersOf(players.inputs, background.contents, background.count);
  return { rows, features: elementsOf(players.inputs), count: background.count };
}

/** [features]: whether a feature's values are whole numbers, by the data type of its input. */
export function wholeNumbers(inputs: readonly ExplainedInput[]): boolean[] {
  return inputs.flatMap(({ datatype, elements }) => new Array<boolean>(elements).fill(!/^(?:FP|BF)/.test(datatype)));
}

/** Outputs of methods that attribute nothing: which they are, and what they are for the row. */
export function unattributed({ ends }: MethodContext): Answer['outputs'] {
  return Array.from(ends.full, (outputValue) => ({
    values: new Float64Array(),
    standardErrors: undefined,
    baseValue: 0,
    outputValue,
    additivityGap: 0,
  }));
}

/** @throws ShoalError INVALID_ARGUMENT for features that there are not */
export function refuseUnknown(features: readonly number[], count: number, field: string): void {
  const beyond = features.find((feature) => feature >= count);
  if (beyond !== undefined) throw invalid(`${field}: there is no feature ${beyond}, but ${count} of them from 0`);
  if (new Set(features).size < features.length) throw invalid(`${field}: a feature is named twice`);
}
