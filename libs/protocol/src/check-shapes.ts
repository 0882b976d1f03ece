import { isDataType } from '@shoal/tensor';
import {
  batchEmpty,
  batchMismatch,
  batchTooLarge,
  dataTypeMismatch,
  dimUnspecified,
  inputCount,
  noShape,
  shapeMismatch,
  unexpectedInput,
} from './error-texts';
import type { InferRequestView } from './scan-request';
import type { TensorHeader } from './scan-tensor';
import type { ModelSignature, TensorSpec } from './signature';
import { type SignatureIndex } from './signature-index';

/*
 * Triton keeps a request's inputs in a hash table, whose order for the usual few is the reverse of the request's. So
 * that the same input is named when several are wrong, these checks visit them in reverse, too.
 */

/** As many inputs as the model takes. */
export function checkCount(view: InferRequestView, signature: ModelSignature, index: SignatureIndex): void {
  const given = view.inputs.length;
  if (given > signature.inputs.length || given < index.required) throw wrongCount(view, signature, index);
}

/** Every required input is there. (Where the model has optional ones, their number alone does not tell.) */
export function checkRequired(view: InferRequestView, signature: ModelSignature, index: SignatureIndex): void {
  if (view.inputs.length === signature.inputs.length) return;
  const names = new Set(view.inputs.map((input) => input.name));
  if (signature.inputs.some((input) => !input.optional && !names.has(input.name))) {
    throw wrongCount(view, signature, index);
  }
}

function wrongCount(view: InferRequestView, signature: ModelSignature, index: SignatureIndex): Error {
  const given = view.inputs.map((input) => input.name).reverse();
  const missing = signature.inputs.filter((input) => !input.optional && !given.includes(input.name));
  return inputCount(
    view.id,
    signature.model,
    index.required,
    signature.inputs.length,
    given,
    missing.map((input) => input.name),
  );
}

/** Where a request's inputs belong, and how many rows it has. */
export interface Placement {
  /** Index into the signature's inputs of each of the request's, in the request's order. */
  readonly found: readonly number[];
  /** Dimension 0 of every input where the model batches, else 1. */
  readonly rows: number;
}

/** Looks the inputs up and finds the number of rows, on which all must agree and which must be within bounds. */
export function placeInputs(view: InferRequestView, signature: ModelSignature, index: SignatureIndex): Placement {
  const { id } = view;
  const { model, maxBatchSize } = signature;
  const found = new Array<number>(view.inputs.length);
  let rows: number | undefined;
  for (let i = view.inputs.length - 1; i >= 0; i -= 1) {
    const { name, shape } = view.inputs[i] as TensorHeader;
    const at = index.inputs.get(name);
    if (at === undefined) throw unexpectedInput(name, model);
    found[i] = at;
    if (maxBatchSize === 0) continue;
    const dim = shape[0];
    if (dim === undefined) throw noShape(id, name, model);
    if (rows !== undefined && dim !== rows) throw batchMismatch(id, name, model);
    rows = dim;
  }
  if (rows !== undefined && rows > maxBatchSize) throw batchTooLarge(id, model, maxBatchSize);
  if (rows === 0) throw batchEmpty(id, model);
  return { found, rows: rows ?? 1 };
}

/** Data type and shape of one input against its specification. */
export function checkTensor(id: string, input: TensorHeader, spec: TensorSpec, signature: ModelSignature): void {
  const { name, shape, datatype } = input;
  if (datatype !== spec.datatype) {
    throw dataTypeMismatch(id, name, signature.model, isDataType(datatype) ? datatype : '<invalid>', spec.datatype);
  }
  const batches = signature.maxBatchSize > 0;
  const first = batches ? 1 : 0;
  const { dims } = spec;
  if (shape.length - first !== dims.length) {
    throw shapeMismatch(id, name, signature.model, dims, batches, shape);
  }
  for (let i = 0; i < dims.length; i += 1) {
    const dim = shape[i + first] as number;
    const wanted = dims[i] as number;
    if (dim === -1 || (dim < 0 && wanted === -1)) throw dimUnspecified(id, name, signature.model, shape);
    if (wanted !== -1 && wanted !== dim) throw shapeMismatch(id, name, signature.model, dims, batches, shape);
  }
  // Alone in its request, a negative number of rows disagrees with no other input's.
  if (batches && (shape[0] as number) < 0) throw dimUnspecified(id, name, signature.model, shape);
}
