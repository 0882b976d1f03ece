import { checkNames, findData, type InputSource, readOutputs, type OutputWish } from './check-data';
import { checkParameters } from './check-parameters';
import { checkCount, checkRequired, checkTensor, placeInputs } from './check-shapes';
import { checkSize } from './check-sizes';
import type { CheckOptions, CheckedInput, CheckedOutput, CheckedRequest } from './checked-request';
import { decoupledUnary, requestTooLarge, unexpectedOutput } from './error-texts';
import type { InferRequestView } from './scan-request';
import type { TensorHeader } from './scan-tensor';
import { shapeKey } from './shape-key';
import type { ModelSignature, TensorSpec } from './signature';
import { type SignatureIndex, signatureIndex } from './signature-index';

/**
 * Checks a request against its model: Triton's checks, in Triton's order, with Triton's codes and texts (its tests and
 * its users' match them). Throws the ShoalError that the client is to see. Nothing is allocated by what the request
 * claims; typed contents are turned into raw bytes once everything about them has been found right.
 */
export function checkInferRequest(
  view: InferRequestView,
  signature: ModelSignature,
  options: CheckOptions,
): CheckedRequest {
  if (options.unary && signature.decoupled) throw decoupledUnary();
  const asked = checkParameters(view.parameters);
  checkNames(view);
  const sources = findData(view, signature.model, options);
  const wishes = readOutputs(view, options);

  const index = signatureIndex(signature);
  const outputs = findOutputs(wishes, signature, index);
  checkCount(view, signature, index);
  const { found, rows } = placeInputs(view, signature, index);
  for (let i = found.length - 1; i >= 0; i -= 1) {
    const spec = signature.inputs[found[i] as number] as TensorSpec;
    checkTensor(view.id, view.inputs[i] as TensorHeader, spec, signature);
  }
  checkRequired(view, signature, index);
  checkTotal(sources, options.maxBytes);
  const inputs = new Array<CheckedInput>(found.length);
  let bytes = 0;
  for (let i = found.length - 1; i >= 0; i -= 1) {
    const input = view.inputs[i] as TensorHeader;
    const at = found[i] as number;
    const source = sources[i] as (typeof sources)[number];
    const raw = checkSize(view.id, input, signature.inputs[at] as TensorSpec, signature.model, source);
    inputs[i] = { index: at, shape: input.shape, bytes: raw };
    bytes += raw.byteLength;
  }
  inputs.sort((a, b) => a.index - b.index);
  // Written out: a spread here costs more than all the checks together.
  return {
    priority: asked.priority,
    queueTimeoutUs: asked.queueTimeoutUs,
    sequence: asked.sequence,
    emptyFinal: asked.emptyFinal,
    background: asked.background,
    why: asked.why,
    parameters: asked.parameters,
    requestId: view.id,
    rows,
    shapeKey: shapeKey(signature, inputs),
    inputs,
    outputs,
    sharedMemoryOutputs: outputs.some((output) => output.sharedMemory !== undefined),
    bytes,
  };
}

/** Nothing is copied for a request that is too large with its copies: a byte of typed contents may stand for eight. */
function checkTotal(sources: readonly InputSource[], limit: number | undefined): void {
  if (limit === undefined) return;
  let total = 0;
  for (const source of sources) total += source.byteLength;
  if (total > limit) throw requestTooLarge(total, limit);
}

/** The requested outputs in the signature's order. Of several unknown ones the first by name is refused. */
function findOutputs(
  wishes: ReadonlyMap<string, OutputWish>,
  signature: ModelSignature,
  index: SignatureIndex,
): CheckedOutput[] {
  const outputs: CheckedOutput[] = [];
  const unknown: string[] = [];
  for (const [name, wish] of wishes) {
    const at = index.outputs.get(name);
    if (at === undefined) unknown.push(name);
    else outputs.push({ index: at, ...wish });
  }
  const first = unknown.sort()[0];
  if (first !== undefined) throw unexpectedOutput(first, signature.model);
  return outputs.sort((a, b) => a.index - b.index);
}
