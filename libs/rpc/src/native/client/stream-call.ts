import { ShoalError } from '@shoal/core';
import type { PreparedHeaders, Stream } from '@shoal/http2';
import type { CallOptions, ClientStream } from '../../client';
import { highWaterBytes } from '../../defaults';
import type { ClientCodec } from '../../method';
import { type Deflation, Deflater } from '../wire/compression';
import { messagePrefix } from '../wire/message-prefix';
import type { MessageRoom } from '../wire/message-reader';
import { type CallHost, ClientCall } from './client-call';
import { rethrowLater } from './rethrow-later';

const nothing = Buffer.alloc(0);

/** A call with a stream in both directions. */
export class NativeClientStream<Req, Res> extends ClientCall implements ClientStream<Req, Res> {
  readonly #codec: ClientCodec<Req, Res>;
  readonly #deflation: Deflation | null;
  #deflater: Deflater | null = null;
  /** Written before there was a stream to write to. */
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #halfClosed = false;
  /** Something has gone to a connection. */
  #written = false;
  #receive: ((message: Res) => void) | null = null;
  #paused = false;
  #drained: (() => void) | null = null;
  #full = false;
  #ended: ((error?: ShoalError) => void) | null = null;
  #error: ShoalError | undefined;

  constructor(
    host: CallHost,
    room: MessageRoom,
    head: PreparedHeaders,
    metadata: readonly string[] | null,
    deflation: Deflation | null,
    codec: ClientCodec<Req, Res>,
  ) {
    super(host, room, head, metadata);
    this.#deflation = deflation;
    this.#codec = codec;
  }

  start(options: CallOptions): void {
    this.begin(options, options.timeoutMs);
  }

  // ---- ClientStream

  onMessage(receive: (message: Res) => void): void {
    this.#receive = receive;
    if (!this.#paused) this.reader?.resume();
  }

  onEnd(ended: (error?: ShoalError) => void): void {
    this.#ended = ended;
    if (this.isOver) ended(this.#error);
  }

  pause(): void {
    this.#paused = true;
    this.reader?.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#receive !== null) this.reader?.resume();
  }

  write(message: Req): boolean {
    if (this.isOver || this.#halfClosed) return false;
    const bytes = this.#codec.encode(message);
    if (this.stream === null) {
      this.#early.push(bytes);
      this.#earlyBytes += bytes.length;
    } else this.#send(this.stream, bytes);
    this.#full = this.bufferedBytes >= highWaterBytes;
    return !this.#full;
  }

  onDrain(drained: () => void): void {
    this.#drained = drained;
  }

  get bufferedBytes(): number {
    const { stream } = this;
    if (stream === null) return this.isOver ? 0 : this.#earlyBytes;
    return stream.queuedBytes + (this.#deflater === null ? 0 : this.#deflater.waitingBytes);
  }

  end(): void {
    if (this.isOver || this.#halfClosed) return;
    this.#halfClosed = true;
    if (this.stream !== null) this.#halfClose(this.stream);
  }

  cancel(): void {
    this.cancelled();
  }

  // ---- ClientCall

  protected override get isResendable(): boolean {
    return !this.#written;
  }

  protected override opened(stream: Stream): void {
    const reader = this.readerOf(stream);
    if (this.#receive === null || this.#paused) reader.pause();
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    for (const bytes of early) this.#send(stream, bytes);
    if (this.#halfClosed) this.#halfClose(stream);
    this.onWritable();
  }

  override onRemoteEnd(): void {
    super.onRemoteEnd();
    // Nobody listens: what still lies here is not kept for those who might.
    if (!this.isOver && this.#receive === null) this.reader?.resume();
  }

  override onWritable(): void {
    if (!this.#full || this.isOver || this.bufferedBytes >= highWaterBytes) return;
    this.#full = false;
    if (this.#drained !== null) attempt(this.#drained);
  }

  override received(bytes: Buffer): void {
    const receive = this.#receive;
    if (receive === null) return;
    let message: Res;
    try {
      message = this.#codec.decode(bytes);
    } catch (cause) {
      this.fail(new ShoalError('INTERNAL', 'a response cannot be decoded', { cause }));
      return;
    }
    try {
      receive(message);
    } catch (thrown) {
      rethrowLater(thrown);
    }
  }

  protected override succeeded(): void {
    this.#over(undefined);
  }

  protected override failed(error: ShoalError): void {
    this.#over(error);
  }

  #over(error: ShoalError | undefined): void {
    this.#error = error;
    this.#deflater?.drop();
    this.#early = [];
    const ended = this.#ended;
    if (ended !== null) attempt(() => ended(error));
  }

  #send(stream: Stream, bytes: Buffer): void {
    this.#written = true;
    if (this.#deflation === null) stream.write(bytes, false, messagePrefix(bytes.length, false));
    else this.#deflaterOf(stream, this.#deflation).push(bytes);
  }

  #halfClose(stream: Stream): void {
    this.#written = true;
    if (this.#deflater === null) stream.write(nothing, true);
    else this.#deflater.afterwards(() => stream.write(nothing, true));
  }

  #deflaterOf(stream: Stream, deflation: Deflation): Deflater {
    return (this.#deflater ??= new Deflater(deflation, (message, compressed) => {
      stream.write(message, false, messagePrefix(message.length, compressed));
      // Where the stream has nothing to wait for, it does not call either.
      this.onWritable();
    }));
  }
}

function attempt(callback: () => void): void {
  try {
    callback();
  } catch (thrown) {
    rethrowLater(thrown);
  }
}
