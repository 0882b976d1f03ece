import { ShoalError } from '@shoal/core';
import { type InputData, type MemberError, type RemoteBytes, byteLengthOf, isPieces, wholeBytes } from '@shoal/link';
import type { ModelSignature, TensorSpec } from '@shoal/protocol';
import { byteSize, decodeStrings, elementCount, putBytes } from '@shoal/tensor';
import { batchInputFeeds } from './batch-inputs';
import type { BatchMemory } from './batch-memory';
import { ortTypeOf } from './ort-types';
import { reshapeDims } from './reshape';
import type { ThreadTensor } from './thread-messages';

/** A member's inputs, as its router sent them. */
export interface MemberInputs {
  readonly member: number;
  /** Batch items, as batching granted them. */
  readonly rows: number;
  readonly inputs: readonly InputData[];
}

export interface GatheredFeeds {
  /** What the session is given; empty when no member is left. */
  readonly feeds: readonly ThreadTensor[];
  /** Members that are in the feeds, in order. */
  readonly members: readonly number[];
  /** Rows of each of `members`. */
  readonly rows: readonly number[];
  /** Shapes of each of `members`, by input; none where all have the same. */
  readonly dims: readonly InputDims[];
  /** Members that cannot run. */
  readonly faults: readonly MemberError[];
}

/** A request's shapes for the model by input, without the batch dimension; undefined = it has no such input. */
export type InputDims = readonly (readonly number[] | undefined)[];

type Data = Uint8Array | RemoteBytes | readonly string[];

/** A member that is fit to run, with what it has for each input of the model, by index; undefined = nothing. */
interface Taken {
  readonly member: number;
  readonly rows: number;
  readonly inputs: readonly InputData[];
  /** Shapes for the model, without the batch dimension. Those who are like the first share its array. */
  readonly dims: InputDims;
  readonly data: readonly (Data | undefined)[];
}

/**
 * Joins the members' inputs into one aligned tensor per input: the one copy that batching needs. Routers have checked
 * their requests already; what is checked again here protects the other members and the process. A member that does
 * not fit is left out with its reason.
 * @param memory where the tensors are made.
 * @param fed indexes of the configured inputs that the session takes.
 */
export function gatherFeeds(
  signature: ModelSignature,
  fed: ReadonlySet<number>,
  present: readonly MemberInputs[],
  memory: BatchMemory,
): GatheredFeeds {
  const faults: MemberError[] = [];
  const fault = (member: number, thrown: unknown) => {
    if (!(thrown instanceof ShoalError)) throw thrown;
    faults.push({ member, code: thrown.code, message: thrown.message });
  };
  const taken: Taken[] = [];
  for (const candidate of present) {
    try {
      const like = taken[0] && takenLike(signature, taken[0], candidate);
      const one = like ?? takenOf(signature, fed, candidate);
      if (taken[0] && !like) checkSameShapes(signature, taken[0].dims, one.dims);
      taken.push(one);
    } catch (thrown) {
      fault(candidate.member, thrown);
    }
  }
  for (;;) {
    const feeds: ThreadTensor[] = [];
    const unread = joined(signature, taken, feeds, memory);
    if (!unread) {
      const dims = signature.ragged ? taken.map((one) => one.dims) : [];
      return { feeds, members: taken.map(({ member }) => member), rows: taken.map(({ rows }) => rows), dims, faults };
    }
    // Seldom: the memory that its bytes are in is there no more. The others are gathered anew without it.
    const [{ member }] = taken.splice(unread.at, 1) as [Taken];
    fault(member, unread.thrown);
  }
}

/** A member whose inputs are as the first one's: what was found out about those is true of them. */
function takenLike(signature: ModelSignature, first: Taken, { member, rows, inputs }: MemberInputs): Taken | undefined {
  if (first.rows === 0 || inputs.length !== first.inputs.length) return undefined;
  const data: (Data | undefined)[] = [];
  for (let i = 0; i < inputs.length; i += 1) {
    const { index, shape, bytes } = inputs[i] as InputData;
    const known = first.inputs[i] as InputData;
    if (index !== known.index || shape.length !== known.shape.length || shape[0] !== rows) return undefined;
    for (let axis = 1; axis < shape.length; axis += 1) if (shape[axis] !== known.shape[axis]) return undefined;
    if (isPieces(bytes) || signature.inputs[index]?.datatype === 'BYTES') return undefined;
    if (bytes.byteLength * first.rows !== byteLengthOf(known.bytes) * rows) return undefined;
    while (data.length < index) data.push(undefined);
    data[index] = bytes;
  }
  return { member, rows, inputs, dims: first.dims, data };
}

function takenOf(signature: ModelSignature, fed: ReadonlySet<number>, { member, rows, inputs }: MemberInputs): Taken {
  const dims: (readonly number[] | undefined)[] = [];
  const data: (Data | undefined)[] = [];
  for (const input of inputs) {
    const spec = signature.inputs[input.index];
    if (!spec || data[input.index] !== undefined) throw new ShoalError('INTERNAL', 'request and model do not match');
    if (!fed.has(input.index)) {
      throw new ShoalError(
        'UNIMPLEMENTED',
        `input '${spec.name}' of model '${signature.model}' cannot be given: the model has a default value for it, and ONNX Runtime for Node.js ignores any other`,
      );
    }
    dims[input.index] = dimsOf(signature, spec, input, rows);
    data[input.index] = dataOf(signature, spec, input);
  }
  return { member, rows, inputs, dims, data };
}

function dimsOf(signature: ModelSignature, spec: TensorSpec, input: InputData, rows: number): readonly number[] {
  const batches = signature.maxBatchSize > 0;
  const wire = batches ? input.shape.slice(1) : input.shape;
  const dims = reshapeDims(wire, spec.dims, spec.modelDims);
  if (!dims || elementCount(input.shape) === undefined || (batches && input.shape[0] !== rows)) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `unexpected shape for input '${spec.name}' for model '${signature.model}': [${input.shape.join(',')}]`,
    );
  }
  return dims;
}

function dataOf(signature: ModelSignature, spec: TensorSpec, { shape, bytes }: InputData): Data {
  if (spec.datatype === 'BYTES') return stringsOf(signature, spec, wholeBytes(bytes), elementCount(shape));
  const expected = byteSize(spec.datatype, shape);
  const length = byteLengthOf(bytes);
  if (expected !== length) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `input byte size mismatch for input '${spec.name}' for model '${signature.model}'. Expected ${expected}, got ${length}`,
    );
  }
  return isPieces(bytes) ? wholeBytes(bytes) : bytes;
}

function stringsOf(
  signature: ModelSignature,
  spec: TensorSpec,
  bytes: Uint8Array,
  count: number | undefined,
): readonly string[] {
  const where = `input '${spec.name}' for model '${signature.model}'`;
  let strings: string[];
  try {
    strings = decodeStrings(bytes);
  } catch (thrown) {
    if (!(thrown instanceof ShoalError)) throw thrown;
    throw new ShoalError(thrown.code, `${where}: ${thrown.message}`);
  }
  if (strings.length === count) return strings;
  throw new ShoalError('INVALID_ARGUMENT', `expected ${count} string elements for ${where}, got ${strings.length}`);
}

/** The router's shape key keeps different shapes apart; were it wrong, nobody may get another's rows. */
function checkSameShapes(signature: ModelSignature, first: Taken['dims'], other: Taken['dims']): void {
  for (let index = 0; index < Math.max(first.length, other.length); index += 1) {
    const [one, two] = [first[index], other[index]];
    if (one === two || (one && two && signature.inputs[index]?.ragged)) continue;
    if (one?.length === two?.length && one?.every((size, i) => size === two?.[i])) continue;
    throw new ShoalError('INTERNAL', `requests of different shapes met in one batch of model '${signature.model}'`);
  }
}

function exactSize(datatype: Exclude<TensorSpec['datatype'], 'BYTES'>, dims: readonly number[]): number {
  const size = byteSize(datatype, dims);
  if (size === undefined)
    throw new ShoalError('RESOURCE_EXHAUSTED', `a batch of shape [${dims.join(',')}] is too large`);
  return size;
}

function unreadable(input: string, model: string, { code, message }: ShoalError): ShoalError {
  return new ShoalError(code, `input '${input}' for model '${model}': ${message}`);
}

/** Appends the feeds; or says whose bytes could not be read. */
function joined(
  signature: ModelSignature,
  taken: readonly Taken[],
  feeds: ThreadTensor[],
  memory: BatchMemory,
): { readonly at: number; readonly thrown: unknown } | undefined {
  const first = taken[0];
  if (!first) return undefined;
  let total = 0;
  for (const { rows } of taken) total += rows;
  for (let index = 0; index < first.dims.length; index += 1) {
    const rowDims = first.dims[index];
    if (!rowDims) continue;
    const { name, datatype, ragged } = signature.inputs[index] as TensorSpec;
    const type = ortTypeOf(datatype) ?? datatype;
    const dims = ragged ? [elementsOf(taken, index)] : signature.maxBatchSize > 0 ? [total, ...rowDims] : [...rowDims];
    if (datatype === 'BYTES') {
      feeds.push({ name, type, dims, data: taken.flatMap(({ data }) => data[index] as readonly string[]) });
      continue;
    }
    const bytes = memory.take(exactSize(datatype, dims));
    let filled = 0;
    for (let at = 0; at < taken.length; at += 1) {
      try {
        filled = putBytes((taken[at] as Taken).data[index] as Uint8Array | RemoteBytes, bytes, filled);
      } catch (thrown) {
        return { at, thrown: thrown instanceof ShoalError ? unreadable(name, signature.model, thrown) : thrown };
      }
    }
    // What was in the memory before is of other requests.
    if (filled !== bytes.length) throw new ShoalError('INTERNAL', `rows do not fill the batch for input '${name}'`);
    feeds.push({ name, type, dims, data: bytes });
  }
  if (signature.ragged) feeds.push(...batchInputFeeds(signature.ragged, taken, memory));
  return undefined;
}

/** Elements of an input whose shapes differ. */
function elementsOf(taken: readonly Taken[], index: number): number {
  let total = 0;
  for (const { rows, dims } of taken) total += rows * (elementCount(dims[index] ?? []) ?? 0);
  return total;
}
