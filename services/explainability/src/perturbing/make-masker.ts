import {
  type InputMasker,
  type Masker,
  type TextPiece,
  fixedInput,
  masker,
  removingInput,
  stringsInput,
  textInput,
} from '@shoal/explain';
import { encodeStrings, fromNumbers } from '@shoal/tensor';
import type { BackgroundRows } from '../backgrounds/background-rows';
import type { ExplainedInput, Players } from '../requests/players';
import type { Tensor } from '../requests/tensor';
import type { TextInput } from '../requests/text-input';

/**
 * Writes the rows that stand for coalitions: what is present comes from the explained row, the rest from each of the background's rows, one
 * after the other; sequences are closed up, words are left out.
 * @param row all inputs of the request
 */
export function makeMasker(players: Players, row: readonly Tensor[], background: BackgroundRows): Masker {
  const bytesOf = (name: string) => row.find((one) => one.name === name)?.bytes ?? new Uint8Array();
  return masker(players.names, [
    ...players.inputs.map((input, at) => {
      const own = bytesOf(input.name);
      if (input.padding !== undefined) return repeated(removing(input, own, input.padding), background.count);
      const { datatype, playerOf } = input;
      return fixedInput({ datatype, playerOf, row: own, background: background.contents[at] as Uint8Array });
    }),
    ...players.texts.map((text) => textMasker(text, bytesOf(text.name), background.count)),
  ]);
}

function removing({ datatype, playerOf }: ExplainedInput, row: Uint8Array, padding: number): InputMasker {
  return removingInput({ datatype, playerOf, row, pad: fromNumbers(datatype, [padding]) });
}

function textMasker({ words, playerOf, elements, mask }: TextInput, row: Uint8Array, rows: number): InputMasker {
  if (!words) {
    const absent = encodeStrings(new Array<string>(elements * rows).fill(mask ?? ''));
    return stringsInput(playerOf, row, absent);
  }
  const pieces = words.map((text, at): TextPiece => ({ text, player: playerOf[at] as number }));
  return repeated(textInput(pieces, mask), rows);
}

/** The same row for each of the background's: what is absent does not come from these. */
function repeated(one: InputMasker, rows: number): InputMasker {
  if (rows === 1) return one;
  return {
    players: one.players,
    rowsPerMask: rows,
    byteSize: (mask) => rows * one.byteSize(mask),
    write(mask, into, at) {
      const end = one.write(mask, into, at);
      for (let row = 1; row < rows; row += 1) into.copyWithin(at + row * (end - at), at, end);
      return at + rows * (end - at);
    },
  };
}
