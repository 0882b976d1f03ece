import { responseTooLarge } from './error-texts';
import type { InferParameters } from './parameters';
import { WireWriter, fieldSize, integerSize, parametersSize, stringFieldSize } from './wire-writer';

/** An output tensor of a response. */
export interface ResponseOutput {
  readonly name: string;
  readonly datatype: string;
  /** Wire shape. */
  readonly shape: readonly number[];
  readonly parameters?: InferParameters;
  /** The raw contents in one piece or several, one after the other; nothing where they went to shared memory. */
  readonly contents: Uint8Array | readonly Uint8Array[];
}

/** What an inference.ModelInferResponse is made of. */
export interface InferResponseParts {
  readonly model: string;
  readonly version: string;
  /** The client's own id; '' = none. */
  readonly id: string;
  readonly parameters?: InferParameters;
  readonly outputs: readonly ResponseOutput[];
}

/** gRPC's own bound on a message: 2^31 - 1 bytes. */
export const maxMessageBytes = 2147483647;

function contentsSize(output: ResponseOutput): number {
  const { contents } = output;
  if (contents instanceof Uint8Array) return contents.length;
  let size = 0;
  for (const chunk of contents) size += chunk.length;
  return size;
}

function shapeSize(shape: readonly number[]): number {
  let size = 0;
  for (const dim of shape) size += integerSize(dim);
  return size;
}

function tensorSize(output: ResponseOutput): number {
  const packed = shapeSize(output.shape);
  return (
    stringFieldSize(output.name) +
    stringFieldSize(output.datatype) +
    (packed === 0 ? 0 : fieldSize(packed)) +
    parametersSize(output.parameters)
  );
}

/** Bytes of the serialised response. */
export function inferResponseSize(parts: InferResponseParts): number {
  let size =
    stringFieldSize(parts.model) +
    stringFieldSize(parts.version) +
    stringFieldSize(parts.id) +
    parametersSize(parts.parameters);
  for (const output of parts.outputs) size += fieldSize(tensorSize(output)) + fieldSize(contentsSize(output));
  return size;
}

/**
 * Serialises an inference.ModelInferResponse: one allocation, one copy of each output. Outputs always go into
 * raw_output_contents, one entry for each, empty or not. Throws RESOURCE_EXHAUSTED, before allocating, when the
 * message would have more than `limit` bytes.
 */
export function assembleInferResponse(parts: InferResponseParts, limit = maxMessageBytes): Buffer {
  const size = inferResponseSize(parts);
  if (size > limit) throw responseTooLarge(size, limit);
  const writer = new WireWriter(Buffer.allocUnsafe(size));
  writeHeader(writer, parts);
  for (const output of parts.outputs) {
    writer.head(6, contentsSize(output));
    for (const chunk of chunksOf(output)) writer.bytes(chunk);
  }
  return writer.buffer;
}

/**
 * As `assembleInferResponse`, in pieces that make up the message one after the other: large contents are not copied but
 * are pieces themselves.
 */
export function inferResponsePieces(parts: InferResponseParts, limit = maxMessageBytes): readonly Uint8Array[] {
  const size = inferResponseSize(parts);
  if (size > limit) throw responseTooLarge(size, limit);
  let apart = 0;
  for (const output of parts.outputs) for (const chunk of chunksOf(output)) if (isLarge(chunk)) apart += chunk.length;
  const writer = new WireWriter(Buffer.allocUnsafe(size - apart));
  writeHeader(writer, parts);
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const output of parts.outputs) {
    writer.head(6, contentsSize(output));
    for (const chunk of chunksOf(output)) {
      if (!isLarge(chunk)) {
        writer.bytes(chunk);
        continue;
      }
      pieces.push(writer.buffer.subarray(from, writer.at), chunk);
      from = writer.at;
    }
  }
  if (from < writer.at) pieces.push(writer.buffer.subarray(from));
  return pieces;
}

/** Contents from this size on are cheaper to pass on than to copy. */
const largeBytes = 16 * 1024;

function isLarge(chunk: Uint8Array): boolean {
  return chunk.length >= largeBytes;
}

function chunksOf({ contents }: ResponseOutput): readonly Uint8Array[] {
  return contents instanceof Uint8Array ? [contents] : contents;
}

function writeHeader(writer: WireWriter, parts: InferResponseParts): void {
  writer.optionalString(1, parts.model);
  writer.optionalString(2, parts.version);
  writer.optionalString(3, parts.id);
  writer.parameters(4, parts.parameters);
  for (const output of parts.outputs) writeTensor(writer, output);
}

function writeTensor(writer: WireWriter, output: ResponseOutput): void {
  writer.head(5, tensorSize(output));
  writer.optionalString(1, output.name);
  writer.optionalString(2, output.datatype);
  if (output.shape.length > 0) {
    writer.head(3, shapeSize(output.shape));
    for (const dim of output.shape) writer.integer(dim);
  }
  writer.parameters(4, output.parameters);
}
