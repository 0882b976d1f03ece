import type { Random } from '@shoal/core';

/** gRPC's doc/connection-backoff.md. */
const initialMs = 1000;
const maxMs = 120_000;
const multiplier = 1.6;
const jitter = 0.2;

/** How long a client rests after each failure to connect, so that many of them do not beset a server that comes back. */
export class Backoff {
  readonly #random: Random;
  #nextMs = initialMs;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The rest after one more failure, in milliseconds: longer each time, a fifth more or less. */
  next(): number {
    const rest = this.#nextMs * (1 - jitter + 2 * jitter * this.#random.next());
    this.#nextMs = Math.min(this.#nextMs * multiplier, maxMs);
    return rest;
  }

  /** There was a connection. */
  reset(): void {
    this.#nextMs = initialMs;
  }
}
