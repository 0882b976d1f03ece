import type { InferParameters } from './parameters';
import { WireWriter, fieldSize, integerSize, parametersSize, stringFieldSize } from './wire-writer';

/** An input tensor of a request that is written. */
export interface RequestInput {
  readonly name: string;
  readonly datatype: string;
  /** Wire shape. */
  readonly shape: readonly number[];
  /** The raw contents. */
  readonly contents: Uint8Array;
}

/** What an inference.ModelInferRequest is made of. */
export interface InferRequestParts {
  readonly model: string;
  /** '' = any. */
  readonly version: string;
  /** '' = none. */
  readonly id: string;
  readonly parameters?: InferParameters;
  readonly inputs: readonly RequestInput[];
  /** Names of the outputs that are wanted; none = all. */
  readonly outputs: readonly string[];
}

/** Serialises an inference.ModelInferRequest with raw contents: one allocation. */
export function assembleInferRequest(parts: InferRequestParts): Buffer {
  const { model, version, id, parameters, inputs, outputs } = parts;
  const heads = inputs.map(headSize);
  const names = outputs.map((name) => stringFieldSize(name));
  let size = stringFieldSize(model) + stringFieldSize(version) + stringFieldSize(id) + parametersSize(parameters);
  for (const head of heads) size += fieldSize(head);
  for (const name of names) size += fieldSize(name);
  for (const { contents } of inputs) size += fieldSize(contents.length);
  const writer = new WireWriter(Buffer.allocUnsafeSlow(size));
  writer.optionalString(1, model);
  writer.optionalString(2, version);
  writer.optionalString(3, id);
  writer.parameters(4, parameters);
  for (const [at, input] of inputs.entries()) {
    writer.head(5, heads[at] as number);
    writer.optionalString(1, input.name);
    writer.optionalString(2, input.datatype);
    const packed = packedSize(input.shape);
    if (packed > 0) writer.head(3, packed);
    for (const dim of input.shape) writer.integer(dim);
  }
  for (const [at, name] of outputs.entries()) {
    writer.head(6, names[at] as number);
    writer.optionalString(1, name);
  }
  for (const { contents } of inputs) {
    writer.head(7, contents.length);
    writer.bytes(contents);
  }
  return writer.buffer;
}

function headSize({ name, datatype, shape }: RequestInput): number {
  const packed = packedSize(shape);
  return stringFieldSize(name) + stringFieldSize(datatype) + (packed === 0 ? 0 : fieldSize(packed));
}

function packedSize(shape: readonly number[]): number {
  let size = 0;
  for (const dim of shape) size += integerSize(dim);
  return size;
}
