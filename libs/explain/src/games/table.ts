import { ShoalError } from '@shoal/core';
import type { MaskBatch } from '../estimator';
import { bitsOf } from './coalitions';

/** Most players whose coalitions are all enumerated: 65 536 evaluations. */
export const mostExactPlayers = 16;

/** A game known in full: the value of each of its 2^players coalitions. */
export class GameTable {
  readonly players: number;
  readonly outputs: number;
  /** [2^players × outputs]; a coalition's row is the number whose bit p says that player p is present. */
  readonly values: Float64Array;

  constructor(players: number, outputs: number, values: Float64Array) {
    if (values.length !== 2 ** players * outputs)
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `a game of ${players} players and ${outputs} outputs has ${2 ** players * outputs} values, not ${values.length}`,
      );
    this.players = players;
    this.outputs = outputs;
    this.values = values;
  }

  /** What the coalitions of a batch are worth, [count × outputs]. */
  evaluate(batch: MaskBatch): Float64Array {
    const told = new Float64Array(batch.count * this.outputs);
    for (let row = 0; row < batch.count; row++) {
      const from = bitsOf(batch.masks, row * this.players, this.players) * this.outputs;
      told.set(this.values.subarray(from, from + this.outputs), row * this.outputs);
    }
    return told;
  }
}
