import { ShoalError } from '@shoal/core';
import type { MaskBatch } from '../estimator';

/** Writes the rows that stand for coalitions into the model's inputs. */
export interface Masker {
  readonly players: number;
  /** Rows that one coalition costs: the background's. */
  readonly rowsPerMask: number;
  /** [players]. */
  readonly names: readonly string[];
  /** Bytes that `write` fills of every explained input; those of text depend on the coalitions. */
  byteSizes(batch: MaskBatch, from: number, count: number): number[];
  /**
   * Fills `count × rowsPerMask` rows of every explained input, from coalitions [from, from + count): raw little-endian contents
   * in the input's data type. Each buffer begins at a multiple of 4 bytes.
   */
  write(batch: MaskBatch, from: number, count: number, into: readonly Uint8Array[]): void;
}

/** How one input is written; a masker is made of one for each explained input. */
export interface InputMasker {
  /** The highest player here + 1. */
  readonly players: number;
  readonly rowsPerMask: number;
  /** Bytes of one coalition's rows. @param mask [players] */
  byteSize(mask: Uint8Array): number;
  /** Writes one coalition's rows from byte `at` on; returns where they end. */
  write(mask: Uint8Array, into: Uint8Array, at: number): number;
}

/** A masker of several inputs that share players: a coalition is written to each of them. */
export function masker(names: readonly string[], inputs: readonly InputMasker[]): Masker {
  const players = names.length;
  const rowsPerMask = inputs[0]?.rowsPerMask ?? 0;
  if (players < 1 || inputs.length < 1)
    throw new ShoalError('INVALID_ARGUMENT', 'there must be at least one player and one input to explain');
  for (const input of inputs) {
    if (input.rowsPerMask !== rowsPerMask)
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `explained inputs must have equally many background rows, got ${rowsPerMask} and ${input.rowsPerMask}`,
      );
    if (input.players > players)
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `an input names player ${input.players - 1}, but there are ${players} players`,
      );
  }
  const maskOf = (batch: MaskBatch, row: number) => batch.masks.subarray(row * players, (row + 1) * players);
  return {
    players,
    rowsPerMask,
    names,
    byteSizes: (batch, from, count) =>
      inputs.map((input) => {
        let size = 0;
        for (let row = from; row < from + count; row++) size += input.byteSize(maskOf(batch, row));
        return size;
      }),
    write(batch, from, count, into) {
      for (const [i, input] of inputs.entries()) {
        let at = 0;
        for (let row = from; row < from + count; row++) at = input.write(maskOf(batch, row), into[i] as Uint8Array, at);
      }
    },
  };
}
