import { ShoalError } from '@shoal/core';
import type { MessageBytes, OutputPlace, WantedOutput } from '@shoal/link';
import {
  type InferParameter,
  type InferParameters,
  type ModelSignature,
  type OutputContents,
  ResponseHead,
  type ResponseHeadParts,
  type TensorSpec,
  classify,
  errorTexts,
} from '@shoal/protocol';
import type { OutputPart } from './scatter';

const nothing = new Uint8Array(0);

/**
 * Builds one member's whole serialised response, in pieces, from its parts of the computed outputs.
 * @throws ShoalError RESOURCE_EXHAUSTED when it is larger than a message may be; INVALID_ARGUMENT when an output of
 * this type cannot be classified; INTERNAL and INVALID_ARGUMENT when it does not fit where the client wants it.
 */
export type BuildResponse = (
  requestId: string,
  parts: readonly OutputPart[],
  wanted: readonly WantedOutput[],
) => MessageBytes;

/** The builder for one model version. `labels` are class labels by output name. */
export function responseBuilder(
  signature: ModelSignature,
  labels: Readonly<Record<string, readonly string[]>>,
  maxBytes: number,
): BuildResponse {
  const { model, version } = signature;
  const batches = signature.maxBatchSize > 0;
  const heads = new LastHead(signature);
  return (id, parts, wanted) => {
    const contents: OutputContents[] = [];
    if (wanted.length === 0) {
      for (const { bytes } of parts) contents.push(bytes);
      return heads.of(parts).pieces(id, contents, maxBytes);
    }
    const outputs: ResponseHeadParts['outputs'][number][] = [];
    for (const { index, shape, bytes } of parts) {
      const asked = wanted.find((output) => output.index === index);
      if (!asked) continue;
      const { name, datatype } = signature.outputs[index] as TensorSpec;
      if (asked.classification > 0) {
        const classes = classify(datatype, bytes, shape, batches, asked.classification, labels[name]);
        outputs.push({ name, datatype: 'BYTES', shape: classes.shape });
        contents.push(classes.bytes);
      } else if (asked.place) {
        writeOutput(name, bytes, asked.place);
        outputs.push({ name, datatype, shape, parameters: placeParameters(asked.place, bytes) });
        contents.push(nothing);
      } else {
        outputs.push({ name, datatype, shape });
        contents.push(bytes);
      }
    }
    return new ResponseHead({ model, version, outputs }).pieces(id, contents, maxBytes);
  };
}

/** One answer's head is mostly that of the answer before: the members of a batch differ in little but their contents. */
class LastHead {
  readonly #signature: ModelSignature;
  #parts: readonly OutputPart[] = [];
  #head: ResponseHead | undefined;

  constructor(signature: ModelSignature) {
    this.#signature = signature;
  }

  /** For all the outputs of a run, as they are. */
  of(parts: readonly OutputPart[]): ResponseHead {
    if (this.#head && sameHeads(parts, this.#parts)) return this.#head;
    const { model, version } = this.#signature;
    const outputs = parts.map(({ index, shape }) => {
      const { name, datatype } = this.#signature.outputs[index] as TensorSpec;
      return { name, datatype, shape };
    });
    // Without the contents, which would be kept as long as this.
    this.#parts = parts.map(({ index, shape }) => ({ index, shape, bytes: nothing }));
    this.#head = new ResponseHead({ model, version, outputs });
    return this.#head;
  }
}

function sameHeads(some: readonly OutputPart[], others: readonly OutputPart[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i += 1) {
    const [one, other] = [some[i] as OutputPart, others[i] as OutputPart];
    if (one.index !== other.index || !sameShape(one.shape, other.shape)) return false;
  }
  return true;
}

function sameShape(one: readonly number[], other: readonly number[]): boolean {
  if (one === other) return true;
  return one.length === other.length && one.every((size, axis) => size === other[axis]);
}

/** Writes an output to the client's shared memory. */
function writeOutput(name: string, bytes: Uint8Array, { file, region }: OutputPlace): void {
  if (bytes.byteLength > file.byteLength) {
    throw errorTexts.sharedMemoryTooSmall(name, file.byteLength, bytes.byteLength);
  }
  const where = `shared memory region: '${errorTexts.clip(region)}'`;
  if (!file.open('write')) throw new ShoalError('INTERNAL', `Unable to open ${where}`);
  try {
    if (!file.write(bytes)) throw new ShoalError('INVALID_ARGUMENT', `Invalid offset + byte size for ${where}`);
  } finally {
    file.release();
  }
}

/** What the response says of an output that is not in it. */
function placeParameters({ region, offset }: OutputPlace, bytes: Uint8Array): InferParameters {
  const parameters = new Map<string, InferParameter>([
    ['shared_memory_region', { kind: 'string', value: region }],
    ['shared_memory_byte_size', { kind: 'int64', value: bytes.byteLength }],
  ]);
  if (offset > 0) parameters.set('shared_memory_offset', { kind: 'int64', value: offset });
  return parameters;
}
