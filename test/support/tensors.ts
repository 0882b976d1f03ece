import type { ModelInferRequest, ModelInferResponse } from './stock-client';

/** A tensor as a test writes it down. */
export interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

export function int32(name: string, shape: readonly number[], values: readonly number[]): Tensor {
  return { name, datatype: 'INT32', shape, bytes: bytesOf(Int32Array.from(values)) };
}

export function int64(name: string, shape: readonly number[], values: readonly number[]): Tensor {
  return { name, datatype: 'INT64', shape, bytes: bytesOf(BigInt64Array.from(values.map(BigInt))) };
}

export function float32(name: string, shape: readonly number[], values: readonly number[]): Tensor {
  return { name, datatype: 'FP32', shape, bytes: bytesOf(Float32Array.from(values)) };
}

/** BYTES: each element behind its length, 4 bytes little endian. */
export function strings(name: string, shape: readonly number[], values: readonly string[]): Tensor {
  const parts = values.flatMap((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  return { name, datatype: 'BYTES', shape, bytes: Buffer.concat(parts) };
}

/** A request with its inputs in raw form. */
export function inferRequest(
  model: string,
  inputs: readonly Tensor[],
  more: Partial<ModelInferRequest> = {},
): ModelInferRequest {
  return {
    model_name: model,
    inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: [...shape] })),
    raw_input_contents: inputs.map(({ bytes }) => bytes),
    ...more,
  };
}

/** The values of an answer's INT32 output. */
export function int32Output(response: ModelInferResponse, name: string): number[] {
  const bytes = rawOutput(response, name);
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(i * 4));
}

/** The values of an answer's FP32 output. */
export function float32Output(response: ModelInferResponse, name: string): number[] {
  const bytes = rawOutput(response, name);
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}

/** The elements of an answer's BYTES output. */
export function stringOutput(response: ModelInferResponse, name: string): string[] {
  const bytes = rawOutput(response, name);
  const found: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at);
    found.push(bytes.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

function rawOutput(response: ModelInferResponse, name: string): Buffer {
  const bytes = response.raw_output_contents[response.outputs.findIndex((output) => output.name === name)];
  if (!bytes) throw new Error(`the answer has no output ${name}`);
  return bytes;
}

function bytesOf(array: ArrayBufferView): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** A request for `simple`, whose answer is the sum and difference of 16 numbers made from `seed`. */
export function simpleRequest(
  seed: number,
  more: Partial<ModelInferRequest> = {},
  model = 'simple',
): ModelInferRequest {
  const first = Array.from({ length: 16 }, (_, i) => seed + i);
  const second = Array.from({ length: 16 }, (_, i) => 3 * seed - i);
  return inferRequest(model, [int32('INPUT0', [1, 16], first), int32('INPUT1', [1, 16], second)], more);
}

/** Whether `response` answers `simpleRequest(seed)`. */
export function isSimpleAnswer(response: ModelInferResponse, seed: number): boolean {
  const sums = int32Output(response, 'OUTPUT0');
  const differences = int32Output(response, 'OUTPUT1');
  return (
    sums.length === 16 &&
    sums.every((value) => value === 4 * seed) &&
    differences.every((value, i) => value === -2 * seed + 2 * i)
  );
}
