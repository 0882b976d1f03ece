import { ShoalError } from '@shoal/core';
import type { MemoryBudget } from '@shoal/http2';
import * as zlib from 'node:zlib';

/** What messages may be compressed with; `deflate` is zlib's format (RFC 1950). */
export type MessageEncoding = 'identity' | 'gzip' | 'deflate';

/** Our `grpc-accept-encoding`. */
export const acceptedEncodings = 'identity,deflate,gzip';

/** The encoding a `grpc-encoding` header names; undefined for those that are not known. */
export function messageEncoding(header: string | undefined): MessageEncoding | undefined {
  if (header === undefined || header === 'identity') return 'identity';
  return header === 'gzip' || header === 'deflate' ? header : undefined;
}

/** Whether a `grpc-accept-encoding` header has it. */
export function accepts(header: string | undefined, encoding: MessageEncoding): boolean {
  return header !== undefined && header.split(',').some((name) => name.trim() === encoding);
}

/** Messages of at most this size are (de)compressed on the spot: that takes less than a trip to another thread costs. */
const maxSyncBytes = 16_384;
/** What such a message may inflate to on the spot; it could be a thousand times its size. */
const maxSyncOutput = 131_072;
const chunkSize = 65_536;

/** @returns undefined when it may take long: then `inflateLater`; an error INTERNAL for what is malformed. */
export function inflateNow(
  encoding: MessageEncoding,
  bytes: Buffer,
  maxBytes: number,
): Buffer | ShoalError | undefined {
  if (bytes.length > maxSyncBytes) return undefined;
  const options = { maxOutputLength: Math.max(1, Math.min(maxBytes, maxSyncOutput)) };
  try {
    return encoding === 'gzip' ? zlib.gunzipSync(bytes, options) : zlib.inflateSync(bytes, options);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    return malformed(thrown);
  }
}

/**
 * Inflates on another thread and calls `done` once, later. Output counts against `memory` while it grows, and fails
 * RESOURCE_EXHAUSTED where it exceeds that or `maxBytes`: a few kilobytes can stand for gigabytes.
 * @returns what gives up: then `done` is not called
 */
export function inflateLater(
  encoding: MessageEncoding,
  bytes: Buffer,
  maxBytes: number,
  memory: MemoryBudget,
  done: (result: Buffer | ShoalError) => void,
): () => void {
  const inflate = encoding === 'gzip' ? zlib.createGunzip({ chunkSize }) : zlib.createInflate({ chunkSize });
  const parts: Buffer[] = [];
  let total = 0;
  let over = false;
  const finish = () => {
    if (over) return false;
    over = true;
    memory.release(total);
    inflate.destroy();
    return true;
  };
  const fail = (error: ShoalError) => {
    if (finish()) done(error);
  };
  inflate.on('data', (part: Buffer) => {
    if (over) return;
    if (total + part.length > maxBytes) fail(tooLarge(maxBytes));
    else if (!memory.reserve(part.length))
      fail(new ShoalError('RESOURCE_EXHAUSTED', 'the server has no room for what the message inflates to'));
    else {
      total += part.length;
      parts.push(part);
    }
  });
  inflate.on('end', () => {
    if (finish()) done(Buffer.concat(parts));
  });
  inflate.on('error', (thrown) => fail(malformed(thrown)));
  inflate.end(bytes);
  return finish;
}

function malformed(cause: unknown): ShoalError {
  return new ShoalError('INTERNAL', 'Failed to decompress message', { cause });
}

function tooLarge(maxBytes: number): ShoalError {
  return new ShoalError('RESOURCE_EXHAUSTED', `Received message that decompresses to a size larger than ${maxBytes}`);
}

/** How to compress. */
export interface Deflation {
  readonly encoding: 'gzip' | 'deflate';
  /** zlib's, 1 (fast) to 9 (small). */
  readonly level: number;
}

/** Messages below this gain nothing worth the trouble. */
const minDeflated = 256;

/**
 * Compresses the messages of one direction of a call and hands them on in the order they came, as they were where compressing gains
 * nothing. Large ones are compressed on another thread, while later ones wait.
 */
export class Deflater {
  /** For the messages that follow. */
  deflation: Deflation | null;
  readonly #send: (message: Buffer, compressed: boolean) => void;
  /** The first may be under way already; functions are run in their turn. */
  #waiting: (Buffer | (() => void))[] = [];
  #how: (Deflation | null)[] = [];
  #waitingBytes = 0;
  #busy = false;
  #dropped = false;

  /** @param deflation null = as they are, in their turn */
  constructor(deflation: Deflation | null, send: (message: Buffer, compressed: boolean) => void) {
    this.deflation = deflation;
    this.#send = send;
  }

  /** Bytes that have not been handed on. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  push(message: Buffer): void {
    if (this.#dropped) return;
    this.#waiting.push(message);
    this.#how.push(this.deflation);
    this.#waitingBytes += message.length;
    this.#next();
  }

  /** Calls `act` when all before it has been handed on. */
  afterwards(act: () => void): void {
    if (this.#dropped) return;
    this.#waiting.push(act);
    this.#next();
  }

  /** Forgets what waits; nothing is handed on any more. */
  drop(): void {
    this.#dropped = true;
    this.#waiting = [];
    this.#how = [];
    this.#waitingBytes = 0;
  }

  #next(): void {
    while (!this.#busy) {
      const first = this.#waiting.shift();
      if (first === undefined) return;
      if (typeof first === 'function') {
        first();
        continue;
      }
      const how = this.#how.shift() ?? null;
      if (how === null || first.length < minDeflated) this.#sent(first, first);
      else if (first.length <= maxSyncBytes) this.#sent(first, deflateNow(first, how));
      else this.#later(first, how);
    }
  }

  #later(message: Buffer, { encoding, level }: Deflation): void {
    this.#busy = true;
    const deflate = encoding === 'gzip' ? zlib.gzip : zlib.deflate;
    deflate(message, { level }, (error, smaller) => {
      this.#busy = false;
      if (this.#dropped) return;
      this.#sent(message, error === null ? smaller : message);
      this.#next();
    });
  }

  #sent(message: Buffer, result: Buffer): void {
    this.#waitingBytes -= message.length;
    if (result.length < message.length) this.#send(result, true);
    else this.#send(message, false);
  }
}

function deflateNow(message: Buffer, { encoding, level }: Deflation): Buffer {
  return encoding === 'gzip' ? zlib.gzipSync(message, { level }) : zlib.deflateSync(message, { level });
}
