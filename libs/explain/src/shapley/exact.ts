import { ShoalError } from '@shoal/core';
import { type Attribution, attribution, pairSum, type ShapleyResult } from '../attribution';
import type { Estimator } from '../estimator';
import { pairInteractionWeight, shapleyWeight, taylorPairWeight, writeBits } from '../games/coalitions';
import { type CoalitionPlan, estimatorOf } from '../games/plan';
import { mostExactPlayers } from '../games/table';
import { SizeSums } from './size-sums';

/** Pairwise interaction indices: Shapley (Grabisch & Roubens 1999), n-Shapley of order 2 (Bordt & von Luxburg 2023), Shapley-Taylor (Sundararajan et al. 2020). */
export type InteractionIndex = 'sii' | 'k-sii' | 'stii';

/** What can be computed from all 2^players values. With 'sii' the values are Shapley values; 'k-sii' and 'stii' are efficient with their pairs. */
export type ExactIndex = 'shapley' | 'banzhaf' | InteractionIndex;

export interface ExactOptions {
  /** At most {@link mostExactPlayers}. */
  readonly players: number;
  readonly index?: ExactIndex;
}

class ExactPlan implements CoalitionPlan {
  readonly players: number;
  private readonly index: ExactIndex;
  private readonly sums: SizeSums[] = [];
  private base: Float64Array = new Float64Array(0);
  private full: Float64Array = new Float64Array(0);
  private written = 0;
  private left: number;

  constructor(players: number, index: ExactIndex) {
    this.players = players;
    this.index = index;
    this.left = 2 ** players - 2;
  }

  get done(): boolean {
    return this.left === 0;
  }

  begin(base: Float64Array, full: Float64Array): void {
    this.base = base;
    this.full = full;
    const pairs = this.index !== 'shapley' && this.index !== 'banzhaf';
    // Values are taken relative to v(∅), which every index here ignores: less to cancel.
    for (let o = 0; o < base.length; o++) this.sums.push(new SizeSums(this.players, pairs));
    this.take(new Uint8Array(this.players).fill(1), full);
    this.left = 2 ** this.players - 2;
  }

  write(masks: Uint8Array, at: number): boolean {
    if (this.written === 2 ** this.players - 2) return false;
    writeBits(++this.written, this.players, masks, at);
    return true;
  }

  take(mask: Uint8Array, values: Float64Array): void {
    this.left--;
    for (const [o, sums] of this.sums.entries()) sums.add(mask, (values[o] as number) - (this.base[o] as number));
  }

  result(evaluations: number): ShapleyResult | undefined {
    if (!this.done) return undefined;
    const interactions = this.pairs();
    const outputs = this.sums.map((sums, o) => this.attribution(sums, o, interactions?.[o]));
    const how = { exact: true, converged: true, stopReason: 'exact', evaluations } as const;
    return interactions === undefined ? { outputs, ...how } : { outputs, interactions, ...how };
  }

  private attribution(sums: SizeSums, o: number, pairs: Float64Array | undefined): Attribution {
    const n = this.players;
    const values = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      if (this.index === 'banzhaf') values[i] = sums.marginals(i, () => 2 ** (1 - n));
      else if (this.index === 'stii') values[i] = sums.marginals(i, (size) => (size === 0 ? 1 : 0));
      else values[i] = sums.marginals(i, (size) => shapleyWeight(n, size));
      if (this.index !== 'k-sii' || pairs === undefined) continue;
      for (let j = 0; j < n; j++) values[i] = (values[i] as number) - (pairs[i * n + j] as number) / 2;
    }
    const shared = this.index === 'sii' || pairs === undefined ? 0 : pairSum(pairs);
    return attribution(values, undefined, this.base[o] as number, this.full[o] as number, shared);
  }

  private pairs(): Float64Array[] | undefined {
    if (this.index === 'shapley' || this.index === 'banzhaf') return undefined;
    const n = this.players;
    const weight = this.index === 'stii' ? taylorPairWeight : pairInteractionWeight;
    return this.sums.map((sums) => {
      const matrix = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = i + 1; j < n; j++)
          matrix[i * n + j] = matrix[j * n + i] = sums.seconds(i, j, (size) => weight(n, size));
      return matrix;
    });
  }
}

/** Evaluates all 2^players coalitions: exact Shapley or Banzhaf values, or pairwise interactions. INVALID_ARGUMENT beyond {@link mostExactPlayers}. */
export function exact(options: ExactOptions): Estimator<ShapleyResult> {
  if (options.players > mostExactPlayers)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `exact values need all 2^players coalitions: at most ${mostExactPlayers} players, got ${options.players}; group the features, or use a sampling method`,
    );
  return estimatorOf(new ExactPlan(options.players, options.index ?? 'shapley'));
}
