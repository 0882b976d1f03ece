import type { Random } from '@shoal/core';

const firstMs = 100;
const maxMs = 30_000;

/** Delays between attempts to start a runner: doubling from 100 ms to 30 s, each shortened by up to half at random. */
export class BackOff {
  readonly #random: Random;
  #attempts = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Attempts since the last `reset`. */
  get attempts(): number {
    return this.#attempts;
  }

  /** How long to wait before the next attempt, ms. */
  next(): number {
    const whole = Math.min(maxMs, firstMs * 2 ** this.#attempts);
    this.#attempts += 1;
    return whole * (1 - this.#random.next() / 2);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
