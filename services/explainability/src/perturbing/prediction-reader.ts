import { ShoalError } from '@shoal/core';
import type { InferResponseView } from '@shoal/protocol';
import { type DataType, elementSize, toNumbers } from '@shoal/tensor';

/** The elements of an output that are explained. */
export interface OutputPick {
  readonly name: string;
  readonly datatype: Exclude<DataType, 'BYTES'>;
  /** Of one row. */
  readonly elements: number;
  readonly indices: readonly number[];
}

/**
 * Reads what was picked from an answer to `rows` rows into [rows × indices], from `offset` on.
 * @throws ShoalError FAILED_PRECONDITION when the answer is of another kind than the first one was.
 */
export function readPredictions(
  view: InferResponseView,
  { name, datatype, elements, indices }: OutputPick,
  rows: number,
  into: Float64Array,
  offset: number,
): void {
  const at = view.outputs.findIndex((output) => output.name === name);
  const raw = view.rawOutputContents[at];
  const width = elementSize(datatype);
  if (!raw || view.outputs[at]?.datatype !== datatype || raw.length !== rows * elements * width) {
    throw new ShoalError(
      'FAILED_PRECONDITION',
      `output '${name}' of the model has ${elements} elements for the explained row, but not for altered rows: only outputs of a size that does not depend on the input's values can be explained`,
    );
  }
  const read = readerOf(datatype, raw);
  for (let row = 0; row < rows; row += 1) {
    for (const [i, index] of indices.entries()) {
      into[offset + row * indices.length + i] = read(row * elements + index);
    }
  }
}

/** Without a copy of outputs that may be large, where only a few elements are wanted. */
function readerOf(datatype: OutputPick['datatype'], raw: Buffer): (element: number) => number {
  if (datatype === 'FP32') return (element) => raw.readFloatLE(4 * element);
  if (datatype === 'FP64') return (element) => raw.readDoubleLE(8 * element);
  const all = toNumbers(datatype, raw);
  return (element) => all[element] as number;
}
