import { ShoalError } from '@shoal/core';
import { type DataType, elementSize } from '@shoal/tensor';
import type { InputMasker } from './masker';

export interface RemovingInputOptions {
  readonly datatype: Exclude<DataType, 'BYTES'>;
  /** The player of each position, −1: always there, [positions]. */
  readonly playerOf: Int32Array;
  /** Raw contents of the explained row, one element for each position. */
  readonly row: Uint8Array;
  /** Raw contents of the one element that fills up the end: the id of the pad token, or 0 in an attention mask. */
  readonly pad: Uint8Array;
}

/**
 * A sequence from which absent positions are taken out: those that stay move together and the end is padded. Token ids, attention mask
 * and types of one sequence are an input each, with the same players.
 */
export function removingInput({ datatype, playerOf, row, pad }: RemovingInputOptions): InputMasker {
  const width = elementSize(datatype);
  const size = playerOf.length * width;
  if (row.length !== size || pad.length !== width)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `a sequence of ${playerOf.length} positions has ${size} bytes of ${datatype} and ${width} of padding; got ${row.length} and ${pad.length}`,
    );
  return {
    players: playerOf.reduce((most, player) => Math.max(most, player + 1), 0),
    rowsPerMask: 1,
    byteSize: () => size,
    write(mask, into, at) {
      let end = at;
      for (const [position, player] of playerOf.entries()) {
        if (player >= 0 && mask[player] === 0) continue;
        for (let byte = 0; byte < width; byte++) into[end + byte] = row[position * width + byte] as number;
        end += width;
      }
      for (; end < at + size; end += width) into.set(pad, end);
      return end;
    },
  };
}
