import { ShoalError } from '@shoal/core';
import type { MemoryBudget } from '@shoal/http2';
import { type MessageEncoding, inflateLater, inflateNow, messageEncoding } from './compression';
import { HeldBytes } from './held-bytes';
import type { MessagePool } from './message-pool';
import { prefixBytes } from './message-prefix';
import type { PartialMessage, PartialMessages } from './partial-messages';

/** Who gets the messages of a stream. */
export interface MessageSink {
  /** A whole message, in memory of its own. `compressed`: it came so. It may call back into the reader. */
  received(message: Buffer, compressed: boolean): void;
  /** All messages have been handed over and no more will come. Never called together with `unreadable`. */
  receivedAll(): void;
  /** The stream cannot be understood, or holds more than it may. Called once, and nothing after it; the stream is to be ended. */
  unreadable(error: ShoalError): void;
}

/** The stream that DATA comes from. */
export interface MessageSource {
  /** The peer may send as many bytes again. */
  consumed(bytes: number): void;
}

/** What the readers of a server, or of a client, share. */
export interface MessageRoom {
  /** Counts the buffers of messages that have begun to come, and what compressed ones inflate to. */
  readonly memory: MemoryBudget;
  /** Where large messages are put. */
  readonly pool: Pick<MessagePool, 'give' | 'take'>;
  /** Decides who has to go when `memory` is used up. Default: who comes last. */
  readonly partials?: PartialMessages;
}

/** A larger message begins in a buffer of this size, which grows as it comes: nobody's word is taken for a gigabyte. */
const maxUnproven = 1 << 20;
const growth = 4;

const empty = Buffer.alloc(0);
/** Below this a loop is faster than a call into native code. */
const shortBytes = 64;

/**
 * Puts a stream's messages (gRPC over HTTP/2, "Length-Prefixed-Message") together from DATA that is cut anywhere. Each byte is copied once
 * (in large messages some twice) and then given back to the stream's window. A paused reader holds what still comes and gives nothing back, so that the peer stops
 * within a window.
 */
export class MessageReader implements PartialMessage {
  /** The peer's `grpc-encoding`, as it came. */
  encoding: string | undefined = undefined;
  // Of the message that is being filled.
  beganAt = 0;
  filled = 0;
  readonly #stream: MessageSource;
  readonly #room: MessageRoom;
  readonly #maxBytes: number;
  readonly #sink: MessageSink;
  /** Of a message's prefix: octets seen, the flag, and as much of the length. */
  #prefixSeen = 0;
  #flag = 0;
  #length = 0;
  /** The message that is being filled, or its beginning; its bytes are reserved while it is. */
  #message: Buffer | null = null;
  #reserved = 0;
  #held: HeldBytes | null = null;
  #paused = false;
  /** A message is being inflated elsewhere; those after it wait. */
  #stopInflating: (() => void) | null = null;
  #ended = false;
  #over = false;

  /** @param maxBytes of a message, inflated */
  constructor(stream: MessageSource, room: MessageRoom, maxBytes: number, sink: MessageSink) {
    this.#stream = stream;
    this.#room = room;
    this.#maxBytes = maxBytes;
    this.#sink = sink;
  }

  /** Takes DATA. */
  push(bytes: Buffer, start: number, end: number): void {
    if (this.#over) {
      this.#stream.consumed(end - start);
      return;
    }
    let at = start;
    if (this.#held === null && !this.#waits()) {
      at = this.#read(bytes, start, end);
      this.#stream.consumed(at - start);
    }
    if (at < end && !this.#over) (this.#held ??= new HeldBytes()).add(bytes, at, end);
  }

  /** The peer has ended its side. */
  end(): void {
    this.#ended = true;
    this.#goOn();
  }

  /** Hands nothing over until `resume`. */
  pause(): void {
    this.#paused = true;
  }

  /** Hands over what was held back, not within this call but before long. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#held !== null || this.#ended) queueMicrotask(() => this.#goOn());
  }

  /** Nobody wants messages any more: lets go of everything. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopInflating?.();
    this.#stopInflating = null;
    if (this.#message !== null) {
      this.#room.pool.give(this.#message);
      this.#room.partials?.delete(this);
      this.#message = null;
    }
    this.#held = null;
    this.#release();
    this.#stream.consumed(Infinity);
  }

  /** Memory is short, and the message comes too slowly. */
  giveUp(): void {
    this.#break(
      new ShoalError('RESOURCE_EXHAUSTED', 'a message came too slowly while the server had no room for others'),
    );
  }

  #waits(): boolean {
    return this.#paused || this.#stopInflating !== null;
  }

  #goOn(): void {
    const held = this.#held;
    if (held !== null && !this.#over && !this.#waits()) {
      held.drain((bytes, start, end) => {
        const at = this.#read(bytes, start, end);
        this.#stream.consumed(at - start);
        return at;
      });
      if (held.isEmpty) this.#held = null;
    }
    if (!this.#ended || this.#over || this.#held !== null || this.#waits()) return;
    if (this.#message !== null || this.#prefixSeen > 0) {
      this.#break(new ShoalError('INTERNAL', 'the stream ended inside a message'));
      return;
    }
    this.#over = true;
    this.#sink.receivedAll();
  }

  /** Reads until the bytes end or messages are to wait; returns up to where. */
  #read(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && !this.#over && !this.#waits()) {
      if (this.#message !== null) at = this.#fill(this.#message, bytes, at, end);
      else at = this.#prefix(bytes, at, end);
    }
    return this.#over ? end : at;
  }

  #prefix(bytes: Buffer, at: number, end: number): number {
    if (this.#prefixSeen === 0 && end - at >= prefixBytes) {
      this.#flag = bytes[at]!;
      this.#length = bytes[at + 1]! * 0x1000000 + ((bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!);
      at += prefixBytes;
    } else {
      while (this.#prefixSeen < prefixBytes && at < end) {
        const octet = bytes[at++]!;
        if (this.#prefixSeen++ === 0) {
          this.#flag = octet;
          this.#length = 0;
        } else this.#length = this.#length * 256 + octet;
      }
      if (this.#prefixSeen < prefixBytes) return at;
      this.#prefixSeen = 0;
    }
    return this.#begin(bytes, at, end);
  }

  /** A message's prefix has been read. */
  #begin(bytes: Buffer, at: number, end: number): number {
    const length = this.#length;
    if (this.#flag > 1) return this.#break(new ShoalError('INTERNAL', 'a message begins with an unknown flag'));
    if (length > this.#maxBytes) {
      const sizes = `${length} vs ${this.#maxBytes}`;
      return this.#break(new ShoalError('RESOURCE_EXHAUSTED', `Received message larger than max (${sizes})`));
    }
    if (length <= end - at) {
      const message = this.#copyOf(bytes, at, length);
      this.#whole(message);
      return at + length;
    }
    const first = Math.min(length, maxUnproven);
    if (!this.#reserve(first)) return Infinity;
    const { partials } = this.#room;
    if (partials !== undefined) {
      this.beganAt = partials.clock.now();
      partials.add(this);
    }
    this.#message = this.#room.pool.take(first);
    this.filled = 0;
    return at;
  }

  #copyOf(bytes: Buffer, at: number, length: number): Buffer {
    if (length === 0) return empty;
    const message = this.#room.pool.take(length);
    if (length > shortBytes) bytes.copy(message, 0, at, at + length);
    else for (let i = 0; i < length; i++) message[i] = bytes[at + i]!;
    return message;
  }

  #fill(message: Buffer, bytes: Buffer, at: number, end: number): number {
    const count = Math.min(message.length - this.filled, end - at);
    bytes.copy(message, this.filled, at, at + count);
    this.filled += count;
    if (this.filled < message.length) return at + count;
    if (message.length < this.#length) return this.#grow(message) ? at + count : Infinity;
    this.#message = null;
    this.#room.partials?.delete(this);
    this.#whole(message);
    return at + count;
  }

  #grow(message: Buffer): boolean {
    const size = Math.min(this.#length, message.length * growth);
    if (!this.#reserve(size - message.length)) return false;
    const larger = this.#room.pool.take(size);
    message.copy(larger);
    this.#room.pool.give(message);
    this.#message = larger;
    return true;
  }

  /** False, and broken, where there is no room. */
  #reserve(bytes: number): boolean {
    const { memory, partials } = this.#room;
    if (!memory.reserve(bytes)) {
      partials?.makeRoom(bytes, this);
      if (!memory.reserve(bytes)) {
        const text = `no room for a message of ${this.#length} bytes while others come in (${memory.limit} bytes in all)`;
        this.#break(new ShoalError('RESOURCE_EXHAUSTED', text));
        return false;
      }
    }
    this.#reserved += bytes;
    return true;
  }

  #whole(message: Buffer): void {
    if (this.#flag !== 0) this.#inflate(message);
    else {
      this.#release();
      this.#sink.received(message, false);
    }
  }

  #inflate(message: Buffer): void {
    const encoding = messageEncoding(this.encoding);
    if (encoding === undefined || encoding === 'identity') {
      this.#break(undeclared(this.encoding));
      return;
    }
    const inflated = inflateNow(encoding, message, this.#maxBytes);
    if (inflated === undefined) this.#inflateLater(encoding, message);
    else if (inflated instanceof ShoalError) this.#break(inflated);
    else this.#inflated(message, inflated);
  }

  #inflateLater(encoding: MessageEncoding, message: Buffer): void {
    this.#stopInflating = inflateLater(encoding, message, this.#maxBytes, this.#room.memory, (result) => {
      this.#stopInflating = null;
      if (result instanceof ShoalError) this.#break(result);
      else {
        this.#inflated(message, result);
        this.#goOn();
      }
    });
  }

  #inflated(message: Buffer, inflated: Buffer): void {
    this.#release();
    this.#room.pool.give(message);
    this.#sink.received(inflated, true);
  }

  #release(): void {
    if (this.#reserved === 0) return;
    this.#room.memory.release(this.#reserved);
    this.#reserved = 0;
  }

  /** @returns a position behind all bytes */
  #break(error: ShoalError): number {
    if (this.#over) return Infinity;
    this.close();
    this.#sink.unreadable(error);
    return Infinity;
  }
}

function undeclared(encoding: string | undefined): ShoalError {
  if (encoding === undefined || encoding === 'identity') {
    return new ShoalError('INTERNAL', 'Received compressed message but "grpc-encoding" header was identity');
  }
  const text = `Received message compressed with unsupported encoding "${encoding.slice(0, 100)}"`;
  return new ShoalError('UNIMPLEMENTED', text);
}
