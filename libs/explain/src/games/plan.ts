import { ShoalError } from '@shoal/core';
import type { ShapleyResult } from '../attribution';
import type { Estimator, MaskBatch } from '../estimator';

/**
 * A method of the family, free of the bookkeeping that all share (see {@link estimatorOf}). v(∅) and v(all) are evaluated
 * for it first. What `write` gives must not depend on what was taken, but at the end of a round for which it waited.
 */
export interface CoalitionPlan {
  readonly players: number;
  /** The ends are known: [outputs] each. */
  begin(base: Float64Array, full: Float64Array): void;
  /** Writes the next coalition into the zeroed `masks[at..at+players)`; false: none now. */
  write(masks: Uint8Array, at: number): boolean;
  /** The oldest coalition written and not yet taken, and its values, [outputs]. Both are views, good during the call. */
  take(mask: Uint8Array, values: Float64Array): void;
  /** Neither `write` nor `take` is called once this is true; may turn true in `begin` and `take` alone. */
  readonly done: boolean;
  /**
   * Does a piece of what the last `take` left to be done, and says whether anything is left. While there is, nothing else is called,
   * and `done` is not looked at.
   */
  work?(): boolean;
  /** Called after `begin`. `evaluations` counts the ends and what was taken. */
  result(evaluations: number): ShapleyResult | undefined;
}

/** Bounds of one batch, whatever is asked for: coalitions, and bytes of masks. */
const mostPerBatch = 4096;
const mostBytes = 1 << 24;

class PlanEstimator implements Estimator<ShapleyResult> {
  private readonly plan: CoalitionPlan;
  private readonly outstanding: MaskBatch[] = [];
  private base: Float64Array | undefined;
  private begun = false;
  private endsWritten = 0;
  private taken = 0;
  /** Told and not yet taken, from a row on. */
  private readonly told: { readonly batch: MaskBatch; readonly values: Float64Array; row: number }[] = [];
  /** The plan has something left to be done. */
  private working = false;

  constructor(plan: CoalitionPlan) {
    this.plan = plan;
  }

  get done(): boolean {
    this.finish();
    return this.begun && this.plan.done;
  }

  next(max: number): MaskBatch | undefined {
    if (this.done) return undefined;
    const { players } = this.plan;
    const room = Math.max(1, Math.min(Math.floor(max), mostPerBatch, Math.floor(mostBytes / players)));
    const masks = new Uint8Array(room * players);
    let count = 0;
    while (count < room && this.write(masks, count * players)) count++;
    if (count === 0) return undefined;
    const batch = { count, players, masks: count === room ? masks : masks.slice(0, count * players) };
    this.outstanding.push(batch);
    return batch;
  }

  private write(masks: Uint8Array, at: number): boolean {
    if (this.endsWritten === 2) return this.plan.write(masks, at);
    if (this.endsWritten === 1) masks.fill(1, at, at + this.plan.players);
    this.endsWritten++;
    return true;
  }

  tell(values: Float64Array): void {
    const batch = this.outstanding.shift();
    if (batch === undefined) throw new ShoalError('INTERNAL', 'values were told that nobody asked for');
    const outputs = values.length / batch.count;
    if (!Number.isInteger(outputs) || outputs < 1 || (this.base !== undefined && outputs !== this.base.length))
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `the game must give each coalition as many values as the others; got ${values.length} for ${batch.count} coalitions`,
      );
    for (const value of values)
      if (!Number.isFinite(value))
        throw new ShoalError(
          'FAILED_PRECONDITION',
          `the output to explain is ${value} for one of its perturbed inputs`,
        );
    this.told.push({ batch, values, row: 0 });
    this.takeTold();
  }

  work(): boolean {
    if (!this.working) return false;
    this.working = this.plan.work?.() ?? false;
    if (!this.working) this.takeTold();
    return this.working;
  }

  /** All that is left to be done, at once. */
  private finish(): void {
    while (this.work());
  }

  /** Takes what was told, until something has to be done first. */
  private takeTold(): void {
    for (let first = this.told[0]; first !== undefined && !this.working; first = this.told[0]) {
      const { batch, values, row } = first;
      const { count, players, masks } = batch;
      if (row === count || (this.begun && this.plan.done)) {
        this.told.shift();
        continue;
      }
      const outputs = values.length / count;
      first.row++;
      this.take(
        masks.subarray(row * players, (row + 1) * players),
        values.subarray(row * outputs, (row + 1) * outputs),
      );
    }
  }

  private take(mask: Uint8Array, values: Float64Array): void {
    this.taken++;
    if (this.base === undefined) this.base = values.slice();
    else if (this.begun) {
      this.plan.take(mask, values);
      this.working = this.plan.work?.() ?? false;
    } else {
      this.begun = true;
      this.plan.begin(this.base, values.slice());
    }
  }

  result(): ShapleyResult | undefined {
    return this.begun ? this.plan.result(this.taken) : undefined;
  }
}

/** Drives a plan: evaluates the ends, keeps what is outstanding (and nothing older), checks what it is told. */
export function estimatorOf(plan: CoalitionPlan): Estimator<ShapleyResult> {
  if (!Number.isInteger(plan.players) || plan.players < 1)
    throw new ShoalError('INVALID_ARGUMENT', `there must be at least one player to explain, got ${plan.players}`);
  return new PlanEstimator(plan);
}
