import { type InferResponseView, scanInferResponse } from '@shoal/protocol';
import { compareTensors } from './compare-tensors';
import type { Tolerance } from './traffic-rules';

/** The first way in which two answers differ. */
export interface AnswerDifference {
  /** The output's name. */
  readonly output: string;
  /** For people: what is different about it. */
  readonly reason: string;
  /** Largest difference of an element in any output; undefined when that says nothing (types, shapes, BYTES). */
  readonly largest: number | undefined;
}

/**
 * Compares two serialised ModelInferResponses, output by output by name; undefined = equal. Ids, versions and parameters do not
 * count. @throws ShoalError for bytes that are no such message.
 */
export function compareAnswers(primary: Buffer, shadow: Buffer, tolerance: Tolerance): AnswerDifference | undefined {
  const a = scanInferResponse(primary);
  const b = scanInferResponse(shadow);
  let first: AnswerDifference | undefined;
  let largest: number | undefined;
  for (const [i, output] of a.outputs.entries()) {
    const found = compareOutput(a, i, b, tolerance);
    if (!found) continue;
    first ??= { output: output.name, ...found };
    if (found.largest !== undefined) largest = Math.max(largest ?? 0, found.largest);
  }
  for (const { name } of b.outputs) {
    if (!first && !a.outputs.some((output) => output.name === name)) {
      first = { output: name, reason: 'only the shadow version gives it', largest: undefined };
    }
  }
  return first && { ...first, largest };
}

function compareOutput(a: InferResponseView, i: number, b: InferResponseView, tolerance: Tolerance) {
  const one = a.outputs[i];
  const j = b.outputs.findIndex(({ name }) => name === one?.name);
  const other = b.outputs[j];
  if (!one || !other) return { reason: 'the shadow version does not give it', largest: undefined };
  if (one.datatype !== other.datatype) {
    return { reason: `${one.datatype} here, ${other.datatype} there`, largest: undefined };
  }
  if (one.shape.join() !== other.shape.join()) {
    return { reason: `shape [${one.shape.join()}] here, [${other.shape.join()}] there`, largest: undefined };
  }
  const [bytesA, bytesB] = [a.rawOutputContents[i], b.rawOutputContents[j]];
  if (!bytesA || !bytesB) return { reason: 'an answer without its contents', largest: undefined };
  const found = compareTensors(one.datatype, bytesA, bytesB, tolerance);
  if (!found) return undefined;
  const { element, largest } = found;
  return { reason: element === undefined ? 'other bytes' : `element ${element} is the first to differ`, largest };
}
