import type { Clock } from '@shoal/core';

/** What the load generator itself used in a window. */
export interface GeneratorCost {
  /** CPU milliseconds, user and system. */
  readonly cpuMs: number;
  /** Share of one core, 0 … (threads): cpuMs over the window. */
  readonly cores: number;
  /** Share of the window in which its event loop was busy, 0 … 1. */
  readonly busy: number;
}

/** An event loop busier than this sends and receives late: what is measured is the generator. */
export const busyLimit = 0.9;

/** Measures what this process uses between two moments. */
export class GeneratorMeter {
  readonly #clock: Clock;
  readonly #cpu = process.cpuUsage();
  readonly #loop = performance.eventLoopUtilization();
  readonly #began: number;

  /** The window begins. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.now();
  }

  end(): GeneratorCost {
    const cpu = process.cpuUsage(this.#cpu);
    const cpuMs = (cpu.user + cpu.system) / 1000;
    const busy = performance.eventLoopUtilization(this.#loop).utilization;
    return { cpuMs, cores: cpuMs / (this.#clock.now() - this.#began), busy };
  }
}
