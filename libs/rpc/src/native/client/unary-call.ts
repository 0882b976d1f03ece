import { ShoalError } from '@shoal/core';
import type { PreparedHeaders, Stream } from '@shoal/http2';
import { type Deflation, Deflater } from '../wire/compression';
import { messagePrefix, prefixBytes } from '../wire/message-prefix';
import type { MessageRoom } from '../wire/message-reader';
import { type CallHost, ClientCall } from './client-call';

/** Below this a loop is faster than a call into native code. */
const shortBytes = 64;

/** One message out, one back. */
export abstract class UnaryCall extends ClientCall {
  #request: Buffer;
  #response: Buffer | null = null;
  readonly #deflation: Deflation | null;

  constructor(
    host: CallHost,
    room: MessageRoom,
    head: PreparedHeaders,
    metadata: readonly string[] | null,
    deflation: Deflation | null,
    request: Buffer,
  ) {
    super(host, room, head, metadata);
    this.#deflation = deflation;
    this.#request = request;
  }

  /** Memory for a small response. */
  protected abstract take(length: number): Buffer;
  protected abstract answered(response: Buffer): void;

  protected override get isResendable(): boolean {
    return true;
  }

  protected override opened(stream: Stream): void {
    const request = this.#request;
    if (this.#deflation === null) stream.write(request, true, messagePrefix(request.length, false));
    else {
      new Deflater(this.#deflation, (message, compressed) => {
        stream.write(message, true, messagePrefix(message.length, compressed));
      }).push(request);
    }
  }

  /** Most responses come in one piece, and need nobody who puts them together. */
  override onData(stream: Stream, bytes: Buffer, start: number, end: number): void {
    const length = end - start - prefixBytes;
    const isWhole =
      this.reader === null &&
      this.#response === null &&
      length >= 0 &&
      bytes[start] === 0 &&
      length <= this.host.maxBytes &&
      length ===
        bytes[start + 1]! * 0x1000000 + ((bytes[start + 2]! << 16) | (bytes[start + 3]! << 8) | bytes[start + 4]!);
    if (!isWhole || this.isOver) {
      super.onData(stream, bytes, start, end);
      return;
    }
    const response = this.take(length);
    const from = start + prefixBytes;
    if (length > shortBytes) bytes.copy(response, 0, from, end);
    else for (let i = 0; i < length; i++) response[i] = bytes[from + i]!;
    this.#response = response;
    stream.consumed(end - start);
  }

  override received(message: Buffer): void {
    if (this.#response === null) this.#response = message;
    else this.fail(new ShoalError('INTERNAL', 'the server sent more than one response'));
  }

  override onWritable(): void {
    // Nothing more is to be written.
  }

  protected override succeeded(): void {
    const response = this.#response;
    this.#response = null;
    if (response === null) this.failed(new ShoalError('INTERNAL', 'the server sent no response'));
    else this.answered(response);
  }
}
