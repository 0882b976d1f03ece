import { ShoalError } from '@shoal/core';
import { decodeByteElements } from '@shoal/tensor';
import type { InputMasker } from './masker';

/** Writes a BYTES element's length and its pieces; returns where it ends. */
function writeElement(pieces: readonly Uint8Array[], into: Uint8Array, at: number): number {
  let end = at + 4;
  for (const piece of pieces) {
    into.set(piece, end);
    end += piece.length;
  }
  const length = end - at - 4;
  for (let byte = 0; byte < 4; byte++) into[at + byte] = (length >>> (8 * byte)) & 0xff;
  return end;
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((size, piece) => size + piece.length, 4);
}

/** A BYTES input whose elements are players: each comes from the explained row or, as a whole, from each background row in turn. */
export function stringsInput(playerOf: Int32Array, row: Uint8Array, background: Uint8Array): InputMasker {
  const own = decodeByteElements(row);
  const others = decodeByteElements(background);
  const elements = playerOf.length;
  const rowsPerMask = others.length / elements;
  if (own.length !== elements || !Number.isInteger(rowsPerMask) || rowsPerMask < 1)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `expected ${elements} BYTES elements and as many in each background row, got ${own.length} and ${others.length}`,
    );
  const chosen = (mask: Uint8Array, i: number): Uint8Array => {
    const player = playerOf[i % elements] as number;
    return (player < 0 || mask[player] === 1 ? own[i % elements] : others[i]) as Uint8Array;
  };
  return {
    players: playerOf.reduce((most, player) => Math.max(most, player + 1), 0),
    rowsPerMask,
    byteSize(mask) {
      let size = 0;
      for (let i = 0; i < others.length; i++) size += 4 + chosen(mask, i).length;
      return size;
    },
    write(mask, into, at) {
      let end = at;
      for (let i = 0; i < others.length; i++) end = writeElement([chosen(mask, i)], into, end);
      return end;
    },
  };
}

/** A piece of a text: a player, or what is always there (−1). */
export interface TextPiece {
  readonly text: string;
  readonly player: number;
}

/** A text cut into its words, players `first`, `first + 1`, …; the white space before a word goes with it. */
export function wordsOfText(text: string, first = 0): TextPiece[] {
  const pieces = Array.from(text.matchAll(/\s*\S+/gu), ([piece], i) => ({ text: piece, player: first + i }));
  const rest = text.slice(pieces.reduce((length, piece) => length + piece.text.length, 0));
  return rest === '' ? pieces : [...pieces, { text: rest, player: -1 }];
}

/**
 * A text, as the one BYTES element of a row: absent pieces are left out or, with `replacement`, written as this (behind the white space
 * that the piece began with). Left out means as if it had never been written: white space then leads the text only where it did before.
 */
export function textInput(pieces: readonly TextPiece[], replacement?: string): InputMasker {
  const encoder = new TextEncoder();
  const own = pieces.map(({ text }) => encoder.encode(text));
  const others = pieces.map(({ text }) =>
    encoder.encode(replacement === undefined ? '' : (/^\s*/u.exec(text)?.[0] ?? '') + replacement),
  );
  const leads = /^\s/u.test(pieces[0]?.text ?? '');
  const chosen = (mask: Uint8Array) => {
    const all = pieces.map(({ player }, i) => (player < 0 || mask[player] === 1 ? own[i] : others[i]) as Uint8Array);
    const first = all.findIndex(({ length }) => length > 0);
    const start = pieces[first];
    // Of a first piece nothing is to be cut.
    if (replacement === undefined && !leads && first > 0 && start) all[first] = encoder.encode(start.text.trimStart());
    return all;
  };
  return {
    players: pieces.reduce((most, { player }) => Math.max(most, player + 1), 0),
    rowsPerMask: 1,
    byteSize: (mask) => sizeOf(chosen(mask)),
    write: (mask, into, at) => writeElement(chosen(mask), into, at),
  };
}
