import type { Clock } from '@shoal/core';
import type { SpanContext } from '../tracing/span-context';

/** A place in a trace, as a `SpanContext` is one. */
export interface TracePlace {
  readonly wire: Uint8Array;
}

/** One observed value of a bucket, and the trace that it was observed in. */
export interface Exemplar {
  readonly context: SpanContext;
  readonly value: number;
  readonly epochMs: number;
}

/** Counts values by size. To record is a walk over a few numbers; nothing is allocated but for an exemplar. */
export class Histogram {
  /** Upper bounds of the buckets, ascending, without infinity. */
  readonly bounds: readonly number[];
  /** Values in each bucket alone, one more than there are bounds. */
  readonly counts: Float64Array;
  sum = 0;
  readonly #clock: Clock;
  #exemplars: (Exemplar | undefined)[] | undefined;

  constructor(bounds: readonly number[], clock: Clock) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
    this.#clock = clock;
  }

  /** @param place The trace that is to be found from the value, where it is recorded; the newest of each bucket is kept. */
  observe(value: number, place?: TracePlace): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += value;
    if (place !== undefined) this.#keep(bucket, value, place.wire);
  }

  /** Values so far. */
  get count(): number {
    let count = 0;
    for (const some of this.counts) count += some;
    return count;
  }

  exemplar(bucket: number): Exemplar | undefined {
    return this.#exemplars?.[bucket];
  }

  #keep(bucket: number, value: number, wire: Uint8Array): void {
    this.#exemplars ??= Array.from(this.counts, () => undefined);
    const context = { wire: Buffer.from(wire), traceState: '' };
    this.#exemplars[bucket] = { context, value, epochMs: this.#clock.epochMs() };
  }
}
