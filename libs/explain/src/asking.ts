import { ShoalError } from '@shoal/core';
import type { Estimator, MaskBatch, RowBatch, RowEstimator } from './estimator';

/**
 * A method free of the bookkeeping that all share: it writes questions (coalitions as bytes, or rows as numbers) and takes
 * their answers, one by one and in the same order. What `write` gives must not depend on what was taken, but at the end of a
 * round for which it waited.
 */
export interface Plan<A extends Uint8Array | Float64Array, R> {
  /** Players, or features: the length of one question. */
  readonly width: number;
  /** Writes the next question into the zeroed `into[at..at+width)`; false: none now. */
  write(into: A, at: number): boolean;
  /** Values of the oldest question not yet taken, [outputs]: a view, good during the call. */
  take(values: Float64Array): void;
  /** Neither `write` nor `take` is called once this is true; turns true in the constructor or in `take` alone. */
  readonly done: boolean;
  result(): R | undefined;
}

export type MaskPlan<R> = Plan<Uint8Array, R>;
export type RowPlan<R> = Plan<Float64Array, R>;

/** Bounds of one batch, whatever is asked for: questions, and elements of all of them. */
const mostPerBatch = 4096;
const mostElements = 1 << 22;

/** Gives out a plan's questions in batches and hands the answers back to it; keeps no more than the sizes of those outstanding. */
class Asking<A extends Uint8Array | Float64Array, R> {
  readonly plan: Plan<A, R>;
  private readonly make: (length: number) => A;
  private readonly outstanding: number[] = [];
  private outputs = 0;

  constructor(plan: Plan<A, R>, make: (length: number) => A) {
    if (!Number.isInteger(plan.width) || plan.width < 1)
      throw new ShoalError('INVALID_ARGUMENT', `there must be at least one feature to explain, got ${plan.width}`);
    this.plan = plan;
    this.make = make;
  }

  next(max: number): { readonly count: number; readonly elements: A } | undefined {
    const { plan } = this;
    if (plan.done) return undefined;
    const { width } = plan;
    const room = Math.max(1, Math.min(Math.floor(max), mostPerBatch, Math.floor(mostElements / width)));
    const elements = this.make(room * width);
    let count = 0;
    while (count < room && plan.write(elements, count * width)) count++;
    if (count === 0) return undefined;
    this.outstanding.push(count);
    return { count, elements: count === room ? elements : (elements.slice(0, count * width) as A) };
  }

  tell(values: Float64Array): void {
    const count = this.outstanding.shift();
    if (count === undefined) throw new ShoalError('INTERNAL', 'values were told that nobody asked for');
    const outputs = values.length / count;
    if (this.outputs === 0) this.outputs = outputs;
    if (!Number.isInteger(outputs) || outputs < 1 || outputs !== this.outputs)
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `the model must give each perturbed input as many values as the others; got ${values.length} for ${count} inputs`,
      );
    for (const value of values)
      if (!Number.isFinite(value))
        throw new ShoalError(
          'FAILED_PRECONDITION',
          `the output to explain is ${value} for one of its perturbed inputs`,
        );
    for (let at = 0; at < values.length && !this.plan.done; at += outputs)
      this.plan.take(values.subarray(at, at + outputs));
  }
}

class MaskAsking<R> implements Estimator<R> {
  private readonly asking: Asking<Uint8Array, R>;

  constructor(plan: MaskPlan<R>) {
    this.asking = new Asking(plan, (length) => new Uint8Array(length));
  }

  get done(): boolean {
    return this.asking.plan.done;
  }

  next(max: number): MaskBatch | undefined {
    const batch = this.asking.next(max);
    return batch && { count: batch.count, players: this.asking.plan.width, masks: batch.elements };
  }

  tell(values: Float64Array): void {
    this.asking.tell(values);
  }

  result(): R | undefined {
    return this.asking.plan.result();
  }
}

class RowAsking<R> implements RowEstimator<R> {
  private readonly asking: Asking<Float64Array, R>;

  constructor(plan: RowPlan<R>) {
    this.asking = new Asking(plan, (length) => new Float64Array(length));
  }

  get done(): boolean {
    return this.asking.plan.done;
  }

  next(max: number): RowBatch | undefined {
    const batch = this.asking.next(max);
    return batch && { count: batch.count, features: this.asking.plan.width, rows: batch.elements };
  }

  tell(values: Float64Array): void {
    this.asking.tell(values);
  }

  result(): R | undefined {
    return this.asking.plan.result();
  }
}

/** An estimator that asks for coalitions as a plan writes them. */
export function maskEstimator<R>(plan: MaskPlan<R>): Estimator<R> {
  return new MaskAsking(plan);
}

/** An estimator that asks for rows as a plan writes them. */
export function rowEstimator<R>(plan: RowPlan<R>): RowEstimator<R> {
  return new RowAsking(plan);
}
