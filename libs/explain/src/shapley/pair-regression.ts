import { ShoalError } from '@shoal/core';
import type { Steps } from '../steps';
import { factorSteps, substitute } from './cholesky';
import { SignSums } from './sign-sums';

/** Parts the sampled pairs are dealt into, for the jackknife: its standard errors have one degree of freedom less. */
export const jackknifeParts = 20;

/** Weighted sums of one set of pairs. */
interface Sums {
  weight: number;
  /** Σ w x xᵀ. */
  readonly squares: SignSums;
  /** Σ w x d, [outputs × players]. */
  readonly cross: Float64Array;
}

/** What is known of one output, [players] each. */
export interface Solution {
  readonly values: Float64Array;
  readonly errors: Float64Array;
}

/**
 * Least squares over pairs of a coalition and its complement. With x = +1 for who is present and −1 for who is absent,
 * an additive game has v(S) − v(rest) = xᵀφ, and pairing cancels all that is even. Weighted by the Shapley kernel, with
 * Σφ = Δ, the minimum is the Shapley values (Lundberg & Lee 2017; pairing: Covert & Lee 2021); with equal weights and no
 * constraint the Banzhaf values (Hammer & Holzman 1992). Pairs are enumerated with their exact weight, or sampled from
 * what mass is left. Memory: players² × parts, whatever the number of pairs.
 */
export class PairRegression {
  readonly players: number;
  private readonly outputs: number;
  /** Mass of the sampled part; that of all is 1. */
  private readonly sampledMass: number;
  /** E[x_i x_j], i ≠ j, of the whole population: what stands in for Σ w x xᵀ as long as that is singular. */
  private readonly correlation: number;
  private readonly delta: Float64Array | undefined;
  private readonly enumerated: Sums;
  private readonly parts: readonly Sums[];
  /** Sampled pairs. */
  count = 0;

  /** `delta`: v(all) − v(∅) per output, to constrain Σφ to. */
  constructor(players: number, outputs: number, sampledMass: number, correlation: number, delta?: Float64Array) {
    this.players = players;
    this.outputs = outputs;
    this.sampledMass = sampledMass;
    this.correlation = correlation;
    this.delta = delta;
    this.enumerated = this.sums();
    this.parts = Array.from({ length: sampledMass === 0 ? 0 : jackknifeParts }, (_, part) => this.sums(part + 1));
  }

  private sums(first?: number): Sums {
    const { players, outputs } = this;
    return { weight: 0, squares: new SignSums(players, first), cross: new Float64Array(outputs * players) };
  }

  /** A pair with a weight of its own. `mask` is the first of the pair, `differences` its values minus its complement's. */
  enumerate(mask: Uint8Array, differences: Float64Array, weight: number): void {
    this.add(mask, differences, weight, this.enumerated);
  }

  /** A pair drawn from the rest. */
  sample(mask: Uint8Array, differences: Float64Array): void {
    const part = this.count++ % jackknifeParts;
    this.add(mask, differences, 1, this.parts[part] as Sums);
  }

  private add(mask: Uint8Array, differences: Float64Array, weight: number, to: Sums): void {
    const { players: n, outputs } = this;
    to.weight += weight;
    to.squares.add(mask, weight);
    for (let o = 0; o < outputs; o++) {
      const weighted = weight * (differences[o] as number);
      for (let i = 0; i < n; i++) {
        const at = o * n + i;
        to.cross[at] = (to.cross[at] as number) + (mask[i] === 1 ? weighted : -weighted);
      }
    }
  }

  /** The estimate of each output, without its errors. */
  *estimates(): Steps<Float64Array[]> {
    return yield* this.solveWithout(yield* this.sampledSquares(), undefined);
  }

  /** The estimate of each output with jackknife standard errors: NaN while there are too few pairs to tell. */
  *solutions(): Steps<Solution[]> {
    const { players: n, count } = this;
    const all = yield* this.sampledSquares();
    const estimates = yield* this.solveWithout(all, undefined);
    if (this.sampledMass === 0) return estimates.map((values) => ({ values, errors: new Float64Array(n) }));
    if (count < 2 * jackknifeParts)
      return estimates.map((values) => ({ values, errors: new Float64Array(n).fill(Number.NaN) }));
    const each: Float64Array[][] = [];
    for (const part of this.parts) each.push(yield* this.solveWithout(all, part));
    return estimates.map((values, o) => ({ values, errors: jackknife(each.map((of) => of[o] as Float64Array)) }));
  }

  /** Of all parts: whole numbers, so that a part can be taken away again exactly. */
  private *sampledSquares(): Steps<Float64Array> {
    const all = new Float64Array(this.players ** 2);
    for (const { squares } of this.parts) {
      const sums = squares.sums();
      for (let at = 0; at < sums.length; at++) all[at] = (all[at] as number) + (sums[at] as number);
      yield;
    }
    return all;
  }

  /** All outputs have the same matrix: it is factored once. */
  private *solveWithout(all: Float64Array, left: Sums | undefined): Steps<Float64Array[]> {
    const { players: n, outputs, enumerated, parts } = this;
    const used = parts.filter((part) => part !== left);
    const pairs = used.reduce((sum, { weight }) => sum + weight, 0);
    const scale = pairs === 0 ? 0 : this.sampledMass / pairs;
    const whole = enumerated.squares.sums();
    const without = left?.squares.sums();
    const squares = all.map((sum, at) => (whole[at] as number) + scale * (sum - (without?.[at] ?? 0)));
    const crosses = Array.from({ length: outputs }, (_, o) =>
      Float64Array.from({ length: n }, (__, i) => {
        const drawn = used.reduce((sum, { cross }) => sum + (cross[o * n + i] as number), 0);
        return (enumerated.cross[o * n + i] as number) + scale * drawn;
      }),
    );
    yield;
    const { delta } = this;
    return delta === undefined ? yield* this.free(squares, crosses) : yield* this.constrained(squares, crosses, delta);
  }

  private *free(squares: Float64Array, crosses: readonly Float64Array[]): Steps<Float64Array[]> {
    const regular = yield* factorSteps(squares, this.players);
    return crosses.map((cross) => {
      const solution = cross.slice();
      if (regular) substitute(squares, solution);
      return solution;
    });
  }

  /** Eliminates the last player: φ_last = Δ − Σ of the others. */
  private *constrained(
    squares: Float64Array,
    crosses: readonly Float64Array[],
    delta: Float64Array,
  ): Steps<Float64Array[]> {
    const n = this.players;
    const k = n - 1;
    const corner = squares[n * n - 1] as number;
    const last = squares.slice(k * n);
    const reduced = new Float64Array(k * k);
    for (let i = 0; i < k; i++)
      for (let j = 0; j <= i; j++)
        reduced[i * k + j] = (squares[i * n + j] as number) - (last[i] as number) - (last[j] as number) + corner;
    const regular = yield* factorSteps(reduced, k);
    return crosses.map((cross, o) => {
      const difference = delta[o] as number;
      if (!regular) return this.closedForm(cross, difference);
      const right = new Float64Array(k);
      for (let i = 0; i < k; i++)
        right[i] = (cross[i] as number) - (cross[k] as number) - difference * ((last[i] as number) - corner);
      substitute(reduced, right);
      let sum = 0;
      for (const value of right) sum += value;
      const values = new Float64Array(n);
      values.set(right);
      values[k] = difference - sum;
      return values;
    });
  }

  /** With Σ w x xᵀ as it is for the whole population (Covert & Lee's unbiased estimator): defined from the first pair on. */
  private closedForm(cross: Float64Array, delta: number): Float64Array {
    let mean = 0;
    for (const value of cross) mean += value / cross.length;
    return cross.map((value) => delta / cross.length + (value - mean) / (1 - this.correlation));
  }
}

/** Of an estimate by those that leave out one part each. */
function jackknife(each: readonly Float64Array[]): Float64Array {
  return Float64Array.from({ length: each[0]?.length ?? 0 }, (_, i) => {
    let [sum, squares] = [0, 0];
    for (const values of each) sum += values[i] as number;
    for (const values of each) squares += ((values[i] as number) - sum / each.length) ** 2;
    return Math.sqrt((squares * (each.length - 1)) / each.length);
  });
}

/** With more players, what there is on the way is estimated without errors, and computing is left to be done in steps. */
export const tellsInSteps = 128;

/** Most players of a regression: its memory is {@link jackknifeParts} and two matrices of players². */
const mostPlayers = 512;

/** Refuses more players than the regression has room for. */
export function requirePlayers(method: string, players: number): void {
  if (players > mostPlayers)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `${method} takes at most ${mostPlayers} players, got ${players}: group the features, or sample permutations`,
    );
}
