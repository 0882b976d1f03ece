import { ShoalError } from '@shoal/core';

import { attribution, pairSum, type ShapleyResult } from '../attribution';
import { atOnce, type Steps } from '../steps';
import type { InteractionIndex } from '../shapley/exact';
import { evaluateForest, type Forest } from './forest';
import { type LeafPaths, leafPaths } from './leaf-paths';
import type { TreeModel } from './read-trees';

/** Pairs that TreeSHAP finds; see {@link InteractionIndex}. */
export type TreeInteractions = Exclude<InteractionIndex, 'stii'>;

/** What a row's leaves share out, added up. */
export interface Shares {
  /** [players × outputs]. */
  readonly values: Float64Array;
  /** [outputs × players × players], above the diagonal; undefined: not wanted. */
  readonly pairs: Float64Array | undefined;
}

export interface TreeExplainerOptions {
  /** The player of each feature, from 0: features of one player are present or absent together. Without: each its own. */
  readonly playerOf?: ArrayLike<number>;
}

/** Explains rows of a tree ensemble from the inside: exactly, and without asking the model anything. */
export abstract class TreeExplainer {
  readonly players: number;
  protected readonly model: TreeModel;
  protected readonly forest: Forest;
  protected readonly paths: LeafPaths;

  constructor(model: TreeModel, options: TreeExplainerOptions, covers: boolean) {
    const { forest } = model;
    const playerOf = Int32Array.from(options.playerOf ?? Array.from({ length: forest.features }, (_, f) => f));
    if (playerOf.length !== forest.features)
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `groups name ${playerOf.length} features, the model has ${forest.features}`,
      );
    let last = 0;
    for (const player of playerOf) {
      if (player < 0 || player >= forest.features)
        throw new ShoalError(
          'INVALID_ARGUMENT',
          `a feature's group is ${player}: expected 0 to ${forest.features - 1}`,
        );
      last = Math.max(last, player);
    }
    this.model = model;
    this.forest = forest;
    this.players = last + 1;
    this.paths = leafPaths(forest, this.players, playerOf, covers);
  }

  /** v(∅) of each output. */
  protected abstract readonly expected: Float64Array;
  /** A tree in a step, which leaves nothing behind for the next: rows may be explained at the same time. */
  protected abstract share(row: Float64Array, into: Shares): Steps<void>;

  /**
   * Shapley values of each output for one row of feature values; with an index also the interactions of pairs. Throws
   * INVALID_ARGUMENT for a row of another length.
   */
  explain(row: ArrayLike<number>, index?: TreeInteractions): ShapleyResult {
    return atOnce(this.steps(row, index));
  }

  /** As `explain`, a tree in a step. */
  *steps(row: ArrayLike<number>, index?: TreeInteractions): Steps<ShapleyResult> {
    const { players, forest } = this;
    const { outputs } = forest;
    const prepared = new Float64Array(forest.features);
    prepareRow(this.model, row, 0, prepared);
    if (row.length !== forest.features)
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `a row has ${row.length} values, the model has ${forest.features} features`,
      );
    const values = new Float64Array(players * outputs);
    const pairs = index === undefined ? undefined : new Float64Array(outputs * players * players);
    const full = new Float64Array(outputs);
    yield* this.share(prepared, { values, pairs });
    evaluateForest(forest, prepared, full);
    const interactions: Float64Array[] = [];
    const answers = Array.from(full, (outputValue, o) => {
      const own = new Float64Array(players);
      for (let player = 0; player < players; player += 1) own[player] = values[player * outputs + o] as number;
      if (pairs === undefined) return attribution(own, undefined, this.expected[o] as number, outputValue);
      const matrix = pairs.slice(o * players * players, (o + 1) * players * players);
      mirror(matrix, players);
      interactions.push(matrix);
      if (index === 'k-sii')
        for (let i = 0; i < players; i += 1)
          for (let j = 0; j < players; j += 1) own[i] = (own[i] as number) - (matrix[i * players + j] as number) / 2;
      const shared = index === 'k-sii' ? pairSum(matrix) : 0;
      return attribution(own, undefined, this.expected[o] as number, outputValue, shared);
    });
    const how = { exact: true, converged: true, stopReason: 'exact', evaluations: 0 } as const;
    return pairs === undefined ? { outputs: answers, ...how } : { outputs: answers, interactions, ...how };
  }
}

/** Copies what is above the diagonal below it. */
function mirror(matrix: Float64Array, players: number): void {
  for (let i = 0; i < players; i += 1)
    for (let j = i + 1; j < players; j += 1) matrix[j * players + i] = matrix[i * players + j] as number;
}

/** Writes what the ensemble sees of row `at` of [rows × features]: scaled and rounded as the model does it. */
export function prepareRow(model: TreeModel, rows: ArrayLike<number>, at: number, into: Float64Array): void {
  const { features } = model.forest;
  for (let f = 0; f < features; f += 1) {
    let value = rows[at * features + f] as number;
    for (const step of model.steps) value = step(value, f);
    into[f] = value;
  }
}

/** The explained outputs of rows, [rows × outputs], as the model itself computes them before any transformation. */
export function evaluateTrees(model: TreeModel, rows: ArrayLike<number>): Float64Array {
  const { features, outputs } = model.forest;
  const count = rows.length / features;
  const answers = new Float64Array(count * outputs);
  const row = new Float64Array(features);
  for (let at = 0; at < count; at += 1) {
    prepareRow(model, rows, at, row);
    evaluateForest(model.forest, row, answers.subarray(at * outputs, (at + 1) * outputs));
  }
  return answers;
}
