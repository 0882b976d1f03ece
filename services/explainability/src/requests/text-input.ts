import { wordsOfText } from '@shoal/explain';
import { decodeStrings, walkByteElements } from '@shoal/tensor';
import type { ExplainedInputMessage } from './messages';
import { invalid, quoted } from './refuse';
import type { Tensor } from './tensor';

/** A BYTES input that is taken apart: the words of its one element, or its elements. */
export interface TextInput {
  readonly name: string;
  readonly datatype: 'BYTES';
  /** Of one row. */
  readonly elements: number;
  /** [words or elements]: whose it is; −1: nobody's, it stays as it is. */
  readonly playerOf: Int32Array;
  /** The words; undefined: the elements of the row are the players. */
  readonly words: readonly string[] | undefined;
  /** In place of what is absent; undefined: it is left out. */
  readonly mask: string | undefined;
}

/** What a BYTES input is divided into: words of a text, or elements. @throws ShoalError INVALID_ARGUMENT */
export function piecesOf({ name, bytes }: Tensor, { text }: ExplainedInputMessage, elements: number): string[] {
  const where = `explained: input ${quoted(name)}`;
  if (!walkByteElements(bytes).ok) throw invalid(`${where} is no BYTES`);
  let strings: string[];
  try {
    strings = decodeStrings(bytes);
  } catch {
    throw invalid(`${where} is no text in UTF-8, and bytes cannot be taken apart`);
  }
  const pieces = text?.pieces ?? [];
  if (elements > 1) {
    if (pieces.length > 0)
      throw invalid(`${where} has ${elements} elements a row: only one alone is divided into pieces`);
    return strings;
  }
  const [whole = ''] = strings;
  if (pieces.length === 0) return wordsOf(whole);
  if (pieces.join('') !== whole) throw invalid(`${where}: its pieces one after the other are not its text`);
  return [...pieces];
}

/** White space at the end goes with the last word. */
function wordsOf(text: string): string[] {
  const words = wordsOfText(text).filter(({ player }) => player >= 0);
  const lost = text.length - words.reduce((length, word) => length + word.text.length, 0);
  return words.map((word, at) => (at === words.length - 1 ? word.text + text.slice(text.length - lost) : word.text));
}
