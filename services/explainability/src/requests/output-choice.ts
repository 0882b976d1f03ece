import { ShoalError } from '@shoal/core';
import type { InferResponseView } from '@shoal/protocol';
import { isDataType, toNumbers } from '@shoal/tensor';
import type { OutputPick } from '../perturbing/prediction-reader';
import type { OutputChoiceMessage } from './messages';
import { invalid, quoted } from './refuse';

/** What is explained of the answer to the row as it is. */
export interface ChosenOutput extends OutputPick {
  /** [indices] of the row as it is, not linked. */
  readonly values: Float64Array;
  /** [elements] of the row as it is. */
  readonly all: Float64Array;
}

/** Chooses by the answer to the one row that is explained. @throws ShoalError INVALID_ARGUMENT */
export function chooseOutput(
  answer: InferResponseView,
  message: OutputChoiceMessage | null,
  maxOutputs: number,
): ChosenOutput {
  const name = message?.name ?? '';
  const at = name === '' ? byDefault(answer) : answer.outputs.findIndex((output) => output.name === name);
  const output = answer.outputs[at];
  const raw = answer.rawOutputContents[at];
  if (!output || !raw) {
    throw invalid(name === '' ? 'the model has no numeric output' : `the model has no output ${quoted(name)}`);
  }
  const { datatype } = output;
  if (!isDataType(datatype) || datatype === 'BYTES') {
    throw invalid(`output ${quoted(output.name)} is of ${datatype}: only numbers can be explained`);
  }
  const all = toNumbers(datatype, raw);
  if (all.length === 0) throw invalid(`output ${quoted(output.name)} has no elements for this row`);
  const indices = indicesOf(all, message, isFloating(datatype));
  if (indices.length > maxOutputs) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `output: ${indices.length} elements, at most ${maxOutputs} are explained in one call`,
    );
  }
  const values = Float64Array.from(indices, (index) => all[index] as number);
  return { name: output.name, datatype, elements: all.length, indices, values, all };
}

/** Scores before labels: the first output of floating-point type, else the first of numbers. */
function byDefault({ outputs }: InferResponseView): number {
  const floating = outputs.findIndex(({ datatype }) => isFloating(datatype));
  return floating >= 0 ? floating : outputs.findIndex(({ datatype }) => datatype !== 'BYTES' && datatype !== 'BOOL');
}

function isFloating(datatype: string): boolean {
  return datatype.startsWith('FP') || datatype === 'BF16';
}

function indicesOf(all: Float64Array, message: OutputChoiceMessage | null, floating: boolean): readonly number[] {
  const every = [...all.keys()];
  switch (message?.choice) {
    case 'indices': {
      const indices = message.indices?.index ?? [];
      if (indices.length === 0) throw invalid('output.indices: at least one is needed');
      if (new Set(indices).size < indices.length) throw invalid('output.indices: one is named twice');
      const beyond = indices.find((index) => index >= all.length);
      if (beyond !== undefined) throw invalid(`output.indices: ${beyond} is not below ${all.length}`);
      return indices;
    }
    case 'top_k': {
      const k = message.top_k ?? 0;
      if (k < 1) throw invalid('output.top_k: expected 1 or more');
      return every.toSorted((a, b) => order(all, a, b)).slice(0, k);
    }
    case 'all':
      return every;
    default:
      if (message?.choice !== 'argmax' && !floating) return every;
      return every.toSorted((a, b) => order(all, a, b)).slice(0, 1);
  }
}

/** The larger first, NaN last, the same in their order. */
function order(all: Float64Array, a: number, b: number): number {
  const [x, y] = [all[a] as number, all[b] as number];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
  return y - x || a - b;
}
