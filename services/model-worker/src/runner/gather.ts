import { ShoalError } from '@shoal/core';
import { type InputData, type MemberError, type RemoteBytes, byteLengthOf, isPieces, wholeBytes } from '@shoal/link';
import type { ModelSignature, TensorSpec } from '@shoal/protocol';
import { byteSize, decodeStrings, elementCount, gatherBytes } from '@shoal/tensor';
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
  /** Members that cannot run. */
  readonly faults: readonly MemberError[];
}

/** One member's part of one input: its shape for the model without the batch dimension, and its elements. */
interface Part {
  readonly dims: readonly number[];
  readonly data: Uint8Array | RemoteBytes | readonly string[];
}

type Parts = ReadonlyMap<number, Part>;

/** A member that is fit to run. */
interface Taken {
  readonly member: number;
  readonly rows: number;
  readonly parts: Parts;
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
      const parts = partsOf(signature, fed, candidate);
      if (taken[0]) checkSameShapes(signature, taken[0].parts, parts);
      taken.push({ member: candidate.member, rows: candidate.rows, parts });
    } catch (thrown) {
      fault(candidate.member, thrown);
    }
  }
  for (;;) {
    const feeds: ThreadTensor[] = [];
    const unread = joined(signature, taken, feeds, memory);
    if (!unread)
      return { feeds, members: taken.map(({ member }) => member), rows: taken.map(({ rows }) => rows), faults };
    // Seldom: the memory that its bytes are in is there no more. The others are gathered anew without it.
    const [{ member }] = taken.splice(unread.at, 1) as [Taken];
    fault(member, unread.thrown);
  }
}

function partsOf(signature: ModelSignature, fed: ReadonlySet<number>, candidate: MemberInputs): Parts {
  const parts = new Map<number, Part>();
  for (const input of candidate.inputs) {
    const spec = signature.inputs[input.index];
    if (!spec || parts.has(input.index)) throw new ShoalError('INTERNAL', 'request and model do not match');
    if (!fed.has(input.index)) {
      throw new ShoalError(
        'UNIMPLEMENTED',
        `input '${spec.name}' of model '${signature.model}' cannot be given: the model has a default value for it, and ONNX Runtime for Node.js ignores any other`,
      );
    }
    parts.set(input.index, partOf(signature, spec, input, candidate.rows));
  }
  return parts;
}

function partOf(signature: ModelSignature, spec: TensorSpec, input: InputData, rows: number): Part {
  const batches = signature.maxBatchSize > 0;
  const wire = batches ? input.shape.slice(1) : input.shape;
  const dims = reshapeDims(wire, spec.dims, spec.modelDims);
  const count = elementCount(input.shape);
  if (!dims || count === undefined || (batches && input.shape[0] !== rows)) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `unexpected shape for input '${spec.name}' for model '${signature.model}': [${input.shape.join(',')}]`,
    );
  }
  if (spec.datatype === 'BYTES') return { dims, data: stringsOf(signature, spec, wholeBytes(input.bytes), count) };
  const expected = byteSize(spec.datatype, input.shape);
  const length = byteLengthOf(input.bytes);
  if (expected !== length) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `input byte size mismatch for input '${spec.name}' for model '${signature.model}'. Expected ${expected}, got ${length}`,
    );
  }
  return { dims, data: isPieces(input.bytes) ? wholeBytes(input.bytes) : input.bytes };
}

function stringsOf(signature: ModelSignature, spec: TensorSpec, bytes: Uint8Array, count: number): readonly string[] {
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
function checkSameShapes(signature: ModelSignature, first: Parts, other: Parts): void {
  const same =
    first.size === other.size &&
    [...first].every(([index, part]) => {
      const dims = other.get(index)?.dims;
      return dims?.length === part.dims.length && dims.every((size, i) => size === part.dims[i]);
    });
  if (!same) {
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
  for (const [index, part] of first.parts) {
    const { name, datatype } = signature.inputs[index] as TensorSpec;
    const type = ortTypeOf(datatype) ?? datatype;
    const dims = signature.maxBatchSize > 0 ? [total, ...part.dims] : [...part.dims];
    const each = taken.map(({ parts }) => (parts.get(index) as Part).data);
    if (datatype === 'BYTES') {
      feeds.push({ name, type, dims, data: (each as (readonly string[])[]).flat() });
      continue;
    }
    const bytes = memory.take(exactSize(datatype, dims));
    let filled = 0;
    for (const [at, data] of each.entries()) {
      try {
        filled = gatherBytes([data as Uint8Array | RemoteBytes], bytes, filled);
      } catch (thrown) {
        return { at, thrown: thrown instanceof ShoalError ? unreadable(name, signature.model, thrown) : thrown };
      }
    }
    // What was in the memory before is of other requests.
    if (filled !== bytes.length) throw new ShoalError('INTERNAL', `rows do not fill the batch for input '${name}'`);
    feeds.push({ name, type, dims, data: bytes });
  }
  return undefined;
}
