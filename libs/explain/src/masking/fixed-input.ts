import { ShoalError } from '@shoal/core';
import { type DataType, elementSize } from '@shoal/tensor';
import type { InputMasker } from './masker';

export interface FixedInputOptions {
  readonly datatype: Exclude<DataType, 'BYTES'>;
  /** The player of each element of a row, −1: none, [elements]. */
  readonly playerOf: Int32Array;
  /** Raw contents of the explained row. */
  readonly row: Uint8Array;
  /** Raw contents of the background's rows, one after the other. */
  readonly background: Uint8Array;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

/**
 * An input of numbers: what is present comes from the explained row, the rest from each background row in turn. Bytes are moved as
 * they are, so any data type passes unchanged. Serves tables, images, tensors, and tokens that are replaced by a mask token.
 */
export function fixedInput({ datatype, playerOf, row, background }: FixedInputOptions): InputMasker {
  const width = elementSize(datatype);
  const rowBytes = playerOf.length * width;
  const rowsPerMask = background.length / rowBytes;
  if (row.length !== rowBytes || !Number.isInteger(rowsPerMask) || rowsPerMask < 1)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `a row of ${playerOf.length} elements has ${rowBytes} bytes of ${datatype}; got ${row.length}, and ${background.length} of background`,
    );
  const wordBytes = Math.min(width, 4);
  const length = rowBytes / wordBytes;
  const runs = runsOf(playerOf, width / wordBytes);
  const own = wordsOf(wordBytes, aligned(row));
  const absent = wordsOf(wordBytes, withFixed(playerOf, width, row, background));
  const size = rowBytes * rowsPerMask;
  return {
    players: playerOf.reduce((most, player) => Math.max(most, player + 1), 0),
    rowsPerMask,
    byteSize: () => size,
    write(mask, into, at) {
      const target = wordsOf(wordBytes, into);
      const from = at / wordBytes;
      target.set(absent, from);
      for (let i = 0; i < runs.length; i += 3) {
        if (mask[runs[i + 2] as number] === 0) continue;
        const first = runs[i] as number;
        const end = runs[i + 1] as number;
        for (let start = from; start < from + rowsPerMask * length; start += length)
          for (let word = first; word < end; word++) target[start + word] = own[word] as number;
      }
      return at + size;
    },
  };
}

/** Stretches of one player each: first word, end, player. */
function runsOf(playerOf: Int32Array, words: number): Int32Array {
  const runs: number[] = [];
  for (const [at, player] of playerOf.entries()) {
    if (player < 0) continue;
    if (at > 0 && playerOf[at - 1] === player) runs[runs.length - 2] = (at + 1) * words;
    else runs.push(at * words, (at + 1) * words, player);
  }
  return Int32Array.from(runs);
}

/** The background with the explained row's own elements where they belong to no player. */
function withFixed(playerOf: Int32Array, width: number, row: Uint8Array, background: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(background);
  for (let start = 0; start < bytes.length; start += row.length)
    for (const [at, player] of playerOf.entries())
      if (player < 0) bytes.set(row.subarray(at * width, (at + 1) * width), start + at * width);
  return bytes;
}

function wordsOf(bytes: number, { buffer, byteOffset, length }: Uint8Array): Words {
  if (bytes === 1) return new Uint8Array(buffer, byteOffset, length);
  if (bytes === 2) return new Uint16Array(buffer, byteOffset, length / 2);
  return new Uint32Array(buffer, byteOffset, length / 4);
}

/** Bytes cut from a message seldom lie aligned. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
}
