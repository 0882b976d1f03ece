import { cpus, freemem, totalmem } from 'node:os';
import type { Clock } from '@shoal/core';
import type { MetricRegistry } from './registry';

/** Triton's metrics of the machine: its processors, measured over `intervalMs` or longer, and its memory. */
export function observeMachine(registry: MetricRegistry, clock: Clock, intervalMs: number): void {
  const use = new CpuUse(clock, intervalMs);
  registry.observe(
    'gauge',
    {
      name: 'nv_cpu_utilization',
      help: 'Share of the machine’s processor time in use, 0 to 1, over the last interval of measuring.',
    },
    (sample) => sample(use.current()),
  );
  registry.observe('gauge', { name: 'nv_cpu_memory_total_bytes', help: 'Memory of the machine.' }, (sample) =>
    sample(totalmem()),
  );
  registry.observe(
    'gauge',
    { name: 'nv_cpu_memory_used_bytes', help: 'Memory of the machine that is not available to programs.' },
    (sample) => sample(totalmem() - freemem()),
  );
}

/** Share of the processors' time that was not idle. */
class CpuUse {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #before = readTimes();
  #at: number;
  #share = 0;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#at = clock.now();
  }

  /** Measured anew at most once in an interval, however many look. */
  current(): number {
    const at = this.#clock.now();
    if (at - this.#at < this.#intervalMs) return this.#share;
    const now = readTimes();
    const total = now.total - this.#before.total;
    if (total > 0) this.#share = 1 - (now.idle - this.#before.idle) / total;
    this.#before = now;
    this.#at = at;
    return this.#share;
  }
}

function readTimes(): { readonly idle: number; readonly total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, total };
}
