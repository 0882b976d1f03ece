import { ShoalError } from '@shoal/core';
import { FrameEncoder } from '../codec/frame-encoder';
import type { FrameMessage } from '../carrier-messages';

/**
 * A frame that has grown to this size leaves at once instead of at the turn's end: the socket may as well begin. A
 * message that is larger by itself travels alone.
 */
const fullFrameBytes = 1024 * 1024;

/** gRPC clients and servers agree on signed 32-bit lengths. */
const maxFrameBytes = 2 ** 31 - 1;

/**
 * Packs messages into frames. A frame leaves when the event loop's turn is over (setImmediate: after all sockets that
 * had something to read, so that answers to everything read in this turn share a frame; when there is nothing else to
 * do this comes at once).
 */
export class Outbox {
  readonly #write: (frame: Buffer) => void;
  readonly #rider: () => FrameMessage | undefined;
  readonly #encoder = new FrameEncoder();
  #scheduled: NodeJS.Immediate | undefined;

  /** @param rider What goes along with a frame that leaves anyhow, if there is such a thing. */
  constructor(write: (frame: Buffer) => void, rider: () => FrameMessage | undefined) {
    this.#write = write;
    this.#rider = rider;
  }

  /** Bytes that wait for the turn's end. */
  get bytes(): number {
    return this.#encoder.size;
  }

  /** @throws ShoalError RESOURCE_EXHAUSTED for a message that no frame can hold; nothing is sent then. */
  send(message: FrameMessage): void {
    const before = this.#encoder.size;
    const added = this.#encoder.add(message);
    if (added > maxFrameBytes) {
      this.#encoder.dropLast(added);
      throw new ShoalError(
        'RESOURCE_EXHAUSTED',
        `a message of ${added} bytes exceeds the limit of ${maxFrameBytes} bytes`,
      );
    }
    if (before > 0 && before + added > fullFrameBytes) {
      // What came before must not wait behind, nor be copied together with, a large message.
      this.#encoder.dropLast(added);
      this.flush();
      this.#encoder.add(message);
    }
    if (this.#encoder.size >= fullFrameBytes) this.flush();
    else this.#scheduled ??= setImmediate(() => this.flush());
  }

  /** Sends what is waiting. */
  flush(): void {
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    if (this.#encoder.isEmpty) return;
    const rider = this.#rider();
    if (rider) this.#encoder.add(rider);
    this.#write(this.#encoder.take());
  }

  /** Forgets what is waiting: the road is gone. */
  drop(): void {
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#encoder.clear();
  }
}
