import { ShoalError } from '@shoal/core';
import { FrameEncoder } from '../codec/frame-encoder';
import type { FrameMessage } from '../carrier-messages';
import { type TurnEndListener, turnEnd } from './turn-end';

/**
 * A frame that has grown to this size leaves at once instead of at the turn's end: the socket may as well begin. A
 * message that is larger by itself travels alone.
 */
const fullFrameBytes = 1024 * 1024;

/** gRPC clients and servers agree on signed 32-bit lengths. */
const maxFrameBytes = 2 ** 31 - 1;

/** Packs messages into frames. A frame leaves when the turn is over: answers to everything read in it share a frame. */
export class Outbox implements TurnEndListener {
  readonly #write: (frame: Buffer) => void;
  readonly #rider: () => FrameMessage | undefined;
  readonly #encoder = new FrameEncoder();
  /** It will hear of the turn's end. */
  #waits = false;

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
    else if (!this.#waits) {
      this.#waits = true;
      turnEnd.add(this);
    }
  }

  turnEnded(): void {
    this.#waits = false;
    this.flush();
  }

  /** Sends what is waiting. */
  flush(): void {
    if (this.#encoder.isEmpty) return;
    const rider = this.#rider();
    if (rider) this.#encoder.add(rider);
    this.#write(this.#encoder.take());
  }

  /** Forgets what is waiting: the road is gone. */
  drop(): void {
    this.#encoder.clear();
  }
}
