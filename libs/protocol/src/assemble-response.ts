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

type TensorHead = Omit<ResponseOutput, 'contents'>;

/** All of a response but its id and its contents. */
export type ResponseHeadParts = Omit<InferResponseParts, 'id' | 'outputs'> & {
  readonly outputs: readonly TensorHead[];
};

/** gRPC's own bound on a message: 2^31 - 1 bytes. */
export const maxMessageBytes = 2147483647;

function shapeSize(shape: readonly number[]): number {
  let size = 0;
  for (const dim of shape) size += integerSize(dim);
  return size;
}

function tensorSize(output: TensorHead): number {
  const packed = shapeSize(output.shape);
  return (
    stringFieldSize(output.name) +
    stringFieldSize(output.datatype) +
    (packed === 0 ? 0 : fieldSize(packed)) +
    parametersSize(output.parameters)
  );
}

/** The raw contents of an output in one piece or several, one after the other; nothing where they went to shared memory. */
export type OutputContents = ResponseOutput['contents'];

/** Contents from this size on are cheaper to pass on than to copy. */
const largeBytes = 16 * 1024;

/**
 * What answers of one kind have in common, serialised once: model, version, parameters, and the outputs' names, types
 * and shapes. Only the id and the contents differ.
 */
export class ResponseHead {
  /** Fields 1 and 2; the id, field 3, follows. */
  readonly #before: Buffer;
  /** Fields 4 and 5; the contents, field 6, follow. */
  readonly #after: Buffer;

  constructor({ model, version, parameters, outputs }: ResponseHeadParts) {
    const before = new WireWriter(Buffer.allocUnsafeSlow(stringFieldSize(model) + stringFieldSize(version)));
    before.optionalString(1, model);
    before.optionalString(2, version);
    let size = parametersSize(parameters);
    for (const output of outputs) size += fieldSize(tensorSize(output));
    const after = new WireWriter(Buffer.allocUnsafeSlow(size));
    after.parameters(4, parameters);
    for (const output of outputs) writeTensor(after, output);
    this.#before = before.buffer;
    this.#after = after.buffer;
  }

  /** Bytes of a whole message with this head. */
  size(id: string, contents: readonly OutputContents[]): number {
    let size = this.#before.length + stringFieldSize(id) + this.#after.length;
    for (const one of contents) size += fieldSize(contentsSize(one));
    return size;
  }

  /**
   * A message with this head, in pieces that make it up one after the other: contents of `largeFrom` bytes and more are
   * not copied but are pieces themselves. Throws RESOURCE_EXHAUSTED, before allocating, when it would have more than
   * `limit` bytes.
   */
  pieces(
    id: string,
    contents: readonly OutputContents[],
    limit = maxMessageBytes,
    largeFrom = largeBytes,
  ): readonly Uint8Array[] {
    const size = this.size(id, contents);
    if (size > limit) throw responseTooLarge(size, limit);
    let apart = 0;
    for (const one of contents) for (const chunk of chunksOf(one)) if (chunk.length >= largeFrom) apart += chunk.length;
    const writer = new WireWriter(Buffer.allocUnsafe(size - apart));
    writer.bytes(this.#before);
    writer.optionalString(3, id);
    writer.bytes(this.#after);
    const pieces: Uint8Array[] = [];
    let from = 0;
    for (const one of contents) {
      writer.head(6, contentsSize(one));
      for (const chunk of chunksOf(one)) {
        if (chunk.length < largeFrom) {
          writer.bytes(chunk);
          continue;
        }
        pieces.push(writer.buffer.subarray(from, writer.at), chunk);
        from = writer.at;
      }
    }
    if (from === 0) return [writer.buffer];
    if (from < writer.at) pieces.push(writer.buffer.subarray(from));
    return pieces;
  }
}

/**
 * Serialises an inference.ModelInferResponse: one copy of each output. Outputs always go into raw_output_contents, one
 * entry for each, empty or not. Throws RESOURCE_EXHAUSTED, before they are copied, when the message would have more than
 * `limit` bytes.
 */
export function assembleInferResponse(parts: InferResponseParts, limit = maxMessageBytes): Buffer {
  const [whole] = new ResponseHead(parts).pieces(parts.id, parts.outputs.map(contentsOf), limit, Infinity);
  return whole as Buffer;
}

function contentsOf({ contents }: ResponseOutput): OutputContents {
  return contents;
}

function chunksOf(contents: OutputContents): readonly Uint8Array[] {
  return contents instanceof Uint8Array ? [contents] : contents;
}

function contentsSize(contents: OutputContents): number {
  if (contents instanceof Uint8Array) return contents.length;
  let size = 0;
  for (const chunk of contents) size += chunk.length;
  return size;
}

function writeTensor(writer: WireWriter, output: TensorHead): void {
  writer.head(5, tensorSize(output));
  writer.optionalString(1, output.name);
  writer.optionalString(2, output.datatype);
  if (output.shape.length > 0) {
    writer.head(3, shapeSize(output.shape));
    for (const dim of output.shape) writer.integer(dim);
  }
  writer.parameters(4, output.parameters);
}
