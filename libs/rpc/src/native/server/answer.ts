import type { ShoalError } from '@shoal/core';
import { PreparedHeaders, type Released, type Stream } from '@shoal/http2';
import type { Metadata } from '../../metadata';
import type { Compression } from '../../server';
import { type Deflation, Deflater, acceptedEncodings } from '../wire/compression';
import { messagePrefix } from '../wire/message-prefix';
import { appendMetadata } from '../wire/metadata-pairs';
import { encodeStatusMessage, failureTrailers, okTrailers } from '../wire/status-trailers';

const head = [':status', '200', 'content-type', 'application/grpc'] as const;
const plainHead = new PreparedHeaders([...head, 'grpc-accept-encoding', acceptedEncodings]);
const gzipHead = new PreparedHeaders([...plainHead.pairs, 'grpc-encoding', 'gzip']);
const onlyTrailers = new Map<string, PreparedHeaders>();
const levels: Record<Exclude<Compression, 'none'>, number> = { low: 1, medium: 6, high: 9 };

/** How `compression` is done. */
export function deflation(compression: Compression): Deflation | null {
  return compression === 'none' ? null : { encoding: 'gzip', level: levels[compression] };
}

/** What goes back to the client (gRPC over HTTP/2, "Responses"): headers, messages, trailers; or trailers only. */
export abstract class Answer {
  protected readonly stream: Stream;
  readonly #acceptsGzip: boolean;
  #deflation: Deflation | null;
  /** The headers say that messages may come in gzip. */
  #saysGzip: boolean;
  /** Once a message has passed through it, all later ones must, to keep their order. */
  #deflater: Deflater | null = null;
  #headers: Metadata | undefined = undefined;
  #headerPairs: string[] | null = null;
  #trailers: Metadata | undefined = undefined;
  #trailerPairs: string[] | null = null;
  /** The memory that was allocated last, and who takes it back when it has been sent. */
  #lent: Buffer | null = null;
  #lender: Released | null = null;

  protected constructor(stream: Stream, acceptsGzip: boolean, compression: Deflation | null) {
    this.stream = stream;
    this.#acceptsGzip = acceptsGzip;
    this.#deflation = acceptsGzip ? compression : null;
    this.#saysGzip = this.#deflation !== null;
  }

  setHeaders(metadata: Metadata): void {
    if (this.stream.hasSentHeaders) return;
    this.#headers = { ...this.#headers, ...metadata };
    this.#headerPairs = pairsOf(this.#headers);
  }

  setTrailers(metadata: Metadata): void {
    this.#trailers = { ...this.#trailers, ...metadata };
    this.#trailerPairs = pairsOf(this.#trailers);
  }

  compressResponses(compression: Compression): void {
    if (!this.#acceptsGzip) return;
    if (!this.stream.hasSentHeaders) this.#saysGzip = true;
    if (this.#saysGzip) this.#deflation = deflation(compression);
  }

  /** Something that waited has left. */
  abstract onWritable(): void;

  /** Bytes that wait here for windows, the socket or their compression. */
  get bufferedBytes(): number {
    return this.stream.queuedBytes + (this.#deflater === null ? 0 : this.#deflater.waitingBytes);
  }

  protected writeMessage(bytes: Buffer): void {
    if (!this.stream.hasSentHeaders) this.#sendHeaders();
    if (this.#deflater !== null || this.#deflation !== null) this.#compress(bytes);
    else if (bytes === this.#lent) this.stream.write(bytes, false, messagePrefix(bytes.length, false), this.#lender);
    else this.stream.write(bytes, false, messagePrefix(bytes.length, false));
  }

  /** Has `memory` given back to `lender` once it has been sent as a message. */
  protected lend(memory: Buffer, lender: Released): Buffer {
    this.#lent = memory;
    this.#lender = lender;
    return memory;
  }

  /** Sends the status, behind all messages. */
  protected writeStatus(error: ShoalError | null): void {
    if (this.#deflater === null) this.#sendStatus(error);
    else this.#deflater.afterwards(() => this.#sendStatus(error));
  }

  /** Nothing more is sent. */
  protected dropAnswer(): void {
    this.#deflater?.drop();
  }

  #compress(bytes: Buffer): void {
    this.#deflater ??= new Deflater(null, (message, compressed) => {
      this.stream.write(message, false, messagePrefix(message.length, compressed));
      // A stream that has nothing to wait for does not call either.
      this.onWritable();
    });
    this.#deflater.deflation = this.#deflation;
    this.#deflater.push(bytes);
  }

  #sendHeaders(): void {
    this.stream.sendHeaders(this.#saysGzip ? gzipHead : plainHead, this.#headerPairs);
  }

  #sendStatus(error: ShoalError | null): void {
    const { stream } = this;
    if (error === null) {
      if (!stream.hasSentHeaders) this.#sendHeaders();
      stream.sendTrailers(okTrailers, this.#trailerPairs);
      return;
    }
    const pairs = ['grpc-message', encodeStatusMessage(error.message)];
    if (this.#trailerPairs !== null) pairs.push(...this.#trailerPairs);
    if (!stream.hasSentHeaders) {
      if (this.#headerPairs === null) {
        stream.sendHeaders(trailersOnly(error.code), pairs, true);
        return;
      }
      this.#sendHeaders();
    }
    stream.sendTrailers(failureTrailers(error.code), pairs);
  }
}

/** Answers a call that has no handler. */
export function refuse(stream: Stream, error: ShoalError): void {
  stream.sendHeaders(trailersOnly(error.code), ['grpc-message', encodeStatusMessage(error.message)], true);
}

/** The headers of a call that only fails; `grpc-message` goes with them. */
function trailersOnly(code: ShoalError['code']): PreparedHeaders {
  let prepared = onlyTrailers.get(code);
  if (prepared === undefined) {
    // A request may be UNIMPLEMENTED for its encoding: then the client is to learn of those that are.
    const start = code === 'UNIMPLEMENTED' ? plainHead.pairs : head;
    prepared = new PreparedHeaders([...start, ...failureTrailers(code).pairs]);
    onlyTrailers.set(code, prepared);
  }
  return prepared;
}

function pairsOf(metadata: Metadata): string[] {
  const pairs: string[] = [];
  appendMetadata(pairs, metadata);
  return pairs;
}
