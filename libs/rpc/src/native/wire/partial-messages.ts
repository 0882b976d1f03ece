import type { Clock } from '@shoal/core';
import type { MemoryBudget } from '@shoal/http2';

/** A message that has begun to come, as those see it who may have to give it up. */
export interface PartialMessage {
  /** On the clock's `now()`. */
  readonly beganAt: number;
  /** Bytes that have come. */
  readonly filled: number;
  /** Ends its stream RESOURCE_EXHAUSTED and releases what is reserved for it. */
  giveUp(): void;
}

/** A message has this long to show how quickly it comes. */
const graceMs = 250;
/** What comes at least this quickly, in bytes per millisecond, is not given up. */
const quick = 1024;

/**
 * The messages that come in over all connections. Five bytes are enough to announce a message; so that nobody can keep others out by
 * announcing what he does not send, the slowest are given up when memory runs short.
 */
export class PartialMessages {
  readonly clock: Clock;
  readonly #memory: MemoryBudget;
  readonly #messages = new Set<PartialMessage>();

  /** @param memory where those who add their messages have reserved them */
  constructor(clock: Clock, memory: MemoryBudget) {
    this.clock = clock;
    this.#memory = memory;
  }

  get size(): number {
    return this.#messages.size;
  }

  add(message: PartialMessage): void {
    this.#messages.add(message);
  }

  delete(message: PartialMessage): void {
    this.#messages.delete(message);
  }

  /** Tries to make it possible to reserve `bytes`, at the cost of others than `wanting`. */
  makeRoom(bytes: number, wanting: PartialMessage): void {
    const now = this.clock.now();
    const rates: { message: PartialMessage; rate: number }[] = [];
    for (const message of this.#messages) {
      const age = now - message.beganAt;
      const rate = message.filled / age;
      if (message !== wanting && age >= graceMs && rate < quick) rates.push({ message, rate });
    }
    rates.sort((one, other) => one.rate - other.rate);
    for (const { message } of rates) {
      if (this.#memory.used + bytes <= this.#memory.limit) return;
      message.giveUp();
    }
  }
}
