import type { MaskBatch } from '@shoal/explain';
import { elementSize } from '@shoal/tensor';
import type { BackgroundRows } from '../backgrounds/background-rows';
import type { ExplainedInput, Players } from '../requests/players';

/** One input, in words: pieces of 1, 2 or 4 bytes that make up its elements. */
interface Part {
  readonly words: 1 | 2 | 4;
  /** Words of one row. */
  readonly length: number;
  readonly row: Words;
  readonly background: Words;
  /** Stretches of one player each: first word, end, player. */
  readonly runs: Int32Array;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

/**
 * Writes the rows that stand for coalitions: what is present comes from the explained row, the rest from each of the background's rows,
 * one after the other.
 */
export class GroupMasker {
  readonly players: number;
  readonly rowsPerMask: number;
  readonly #parts: readonly Part[];

  /** @param row raw contents of each explained input */
  constructor(players: Players, row: readonly Uint8Array[], background: BackgroundRows) {
    this.players = players.sizes.length;
    this.rowsPerMask = background.count;
    this.#parts = players.inputs.map((input, at) =>
      partOf(input, row[at] as Uint8Array, background.contents[at] as Uint8Array),
    );
  }

  /** Writes one coalition's rows to each explained input's, from row `offset` on. */
  write({ masks, players }: MaskBatch, mask: number, into: readonly Uint8Array[], offset: number): void {
    for (const [at, part] of this.#parts.entries()) {
      const { length, row, background, runs } = part;
      const target = wordsOf(part.words, into[at] as Uint8Array);
      const from = offset * length;
      target.set(background, from);
      for (let i = 0; i < runs.length; i += 3) {
        if (masks[mask * players + (runs[i + 2] as number)] === 0) continue;
        const [first, end] = [runs[i] as number, runs[i + 1] as number];
        for (let start = from; start < from + this.rowsPerMask * length; start += length) {
          for (let word = first; word < end; word += 1) target[start + word] = row[word] as number;
        }
      }
    }
  }
}

function partOf({ datatype, playerOf }: ExplainedInput, row: Uint8Array, background: Uint8Array): Part {
  const width = elementSize(datatype);
  const words = Math.min(width, 4) as 1 | 2 | 4;
  const perElement = width / words;
  const runs: number[] = [];
  for (const [at, player] of playerOf.entries()) {
    if (at > 0 && playerOf[at - 1] === player) runs[runs.length - 2] = (at + 1) * perElement;
    else runs.push(at * perElement, (at + 1) * perElement, player);
  }
  return {
    words,
    length: playerOf.length * perElement,
    row: wordsOf(words, aligned(row)),
    background: wordsOf(words, aligned(background)),
    runs: Int32Array.from(runs),
  };
}

function wordsOf(words: 1 | 2 | 4, { buffer, byteOffset, length }: Uint8Array): Words {
  if (words === 1) return new Uint8Array(buffer, byteOffset, length);
  if (words === 2) return new Uint16Array(buffer, byteOffset, length / 2);
  return new Uint32Array(buffer, byteOffset, length / 4);
}

/** Bytes cut from a message seldom lie aligned. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
}
