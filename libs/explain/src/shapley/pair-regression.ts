import { ShoalError } from '@shoal/core';
import { solveSymmetric } from './cholesky';

/** Parts the sampled pairs are dealt into, for the jackknife: its standard errors have one degree of freedom less. */
export const jackknifeParts = 20;

/** Weighted sums of one set of pairs. */
interface Sums {
  weight: number;
  /** Σ w x xᵀ, [players × players], lower triangle. */
  readonly squares: Float64Array;
  /** Σ w x d, [outputs × players]. */
  readonly cross: Float64Array;
}

/**
 * Least squares over pairs of a coalition and its complement. With x = +1 for who is present and −1 for who is absent,
 * an additive game has v(S) − v(rest) = xᵀφ, and pairing cancels all that is even. Weighted by the Shapley kernel, with
 * Σφ = Δ, the minimum is the Shapley values (Lundberg & Lee 2017; pairing: Covert & Lee 2021); with equal weights and no
 * constraint the Banzhaf values (Hammer & Holzman 1992). Pairs are enumerated with their exact weight, or sampled from
 * what mass is left. Memory: players² × parts, whatever the number of pairs.
 */
export class PairRegression {
  private readonly players: number;
  private readonly outputs: number;
  /** Mass of the sampled part; that of all is 1. */
  private readonly sampledMass: number;
  /** E[x_i x_j], i ≠ j, of the whole population: what stands in for Σ w x xᵀ as long as that is singular. */
  private readonly correlation: number;
  private readonly delta: Float64Array | undefined;
  private readonly enumerated: Sums;
  private readonly sampled: Sums;
  private readonly parts: readonly Sums[];
  private readonly signs: Int8Array;
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
    this.sampled = this.sums();
    this.parts = Array.from({ length: sampledMass === 0 ? 0 : jackknifeParts }, () => this.sums());
    this.signs = new Int8Array(players);
  }

  private sums(): Sums {
    const { players, outputs } = this;
    return { weight: 0, squares: new Float64Array(players * players), cross: new Float64Array(outputs * players) };
  }

  /** A pair with a weight of its own. `mask` is the first of the pair, `differences` its values minus its complement's. */
  enumerate(mask: Uint8Array, differences: Float64Array, weight: number): void {
    this.add(mask, differences, weight, this.enumerated);
  }

  /** A pair drawn from the rest. */
  sample(mask: Uint8Array, differences: Float64Array): void {
    const part = this.count++ % jackknifeParts;
    this.add(mask, differences, 1, this.sampled);
    this.add(mask, differences, 1, this.parts[part] as Sums);
  }

  private add(mask: Uint8Array, differences: Float64Array, weight: number, to: Sums): void {
    const { players: n, outputs, signs } = this;
    for (let i = 0; i < n; i++) signs[i] = mask[i] === 1 ? 1 : -1;
    to.weight += weight;
    for (let i = 0, at = 0; i < n; i++) {
      const signed = weight * (signs[i] as number);
      for (let j = 0; j <= i; j++, at++) to.squares[at] = (to.squares[at] as number) + signed * (signs[j] as number);
      at += n - 1 - i;
    }
    for (let o = 0; o < outputs; o++) {
      const weighted = weight * (differences[o] as number);
      for (let i = 0; i < n; i++)
        to.cross[o * n + i] = (to.cross[o * n + i] as number) + weighted * (signs[i] as number);
    }
  }

  /** The estimate of one output, [players]. */
  solve(output: number): Float64Array {
    return this.solveWithout(output, undefined);
  }

  /** Jackknife standard errors of one output; NaN while there are too few pairs to tell. */
  errors(output: number): Float64Array {
    const { players: n } = this;
    if (this.sampledMass === 0) return new Float64Array(n);
    if (this.count < 2 * jackknifeParts) return new Float64Array(n).fill(Number.NaN);
    const each = this.parts.map((part) => this.solveWithout(output, part));
    return Float64Array.from({ length: n }, (_, i) => {
      let [sum, squares] = [0, 0];
      for (const values of each) sum += values[i] as number;
      for (const values of each) squares += ((values[i] as number) - sum / each.length) ** 2;
      return Math.sqrt((squares * (each.length - 1)) / each.length);
    });
  }

  private solveWithout(output: number, left: Sums | undefined): Float64Array {
    const { players: n, sampled, enumerated } = this;
    const pairs = sampled.weight - (left?.weight ?? 0);
    const scale = pairs === 0 ? 0 : this.sampledMass / pairs;
    const squares = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        const at = i * n + j;
        const drawn = (sampled.squares[at] as number) - (left?.squares[at] ?? 0);
        squares[at] = squares[j * n + i] = (enumerated.squares[at] as number) + scale * drawn;
      }
    const cross = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const at = output * n + i;
      const drawn = (sampled.cross[at] as number) - (left?.cross[at] ?? 0);
      cross[i] = (enumerated.cross[at] as number) + scale * drawn;
    }
    const delta = this.delta?.[output];
    return delta === undefined ? this.free(squares, cross) : this.constrained(squares, cross, delta);
  }

  private free(squares: Float64Array, cross: Float64Array): Float64Array {
    const solution = cross.slice();
    return solveSymmetric(squares, solution) ? solution : cross;
  }

  /** Eliminates the last player: φ_last = Δ − Σ of the others. */
  private constrained(squares: Float64Array, cross: Float64Array, delta: number): Float64Array {
    const n = this.players;
    const k = n - 1;
    const corner = squares[n * n - 1] as number;
    const reduced = new Float64Array(k * k);
    const right = new Float64Array(k);
    for (let i = 0; i < k; i++) {
      const last = squares[i * n + k] as number;
      right[i] = (cross[i] as number) - (cross[k] as number) - delta * (last - corner);
      for (let j = 0; j < k; j++)
        reduced[i * k + j] = (squares[i * n + j] as number) - last - (squares[j * n + k] as number) + corner;
    }
    const values = new Float64Array(n);
    if (!solveSymmetric(reduced, right)) return this.closedForm(cross, delta);
    let sum = 0;
    for (const value of right) sum += value;
    values.set(right);
    values[k] = delta - sum;
    return values;
  }

  /** With Σ w x xᵀ as it is for the whole population (Covert & Lee's unbiased estimator): defined from the first pair on. */
  private closedForm(cross: Float64Array, delta: number): Float64Array {
    let mean = 0;
    for (const value of cross) mean += value / cross.length;
    return cross.map((value) => delta / cross.length + (value - mean) / (1 - this.correlation));
  }
}

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
