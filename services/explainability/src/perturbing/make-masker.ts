import {
  type InputMasker,
  type Masker,
  type TextPiece,
  fixedInput,
  inpaintedInput,
  masker,
  removingInput,
  stringsInput,
  textInput,
} from '@shoal/explain';
import { encodeStrings, fromNumbers, toNumbers } from '@shoal/tensor';
import type { BackgroundRows } from '../backgrounds/background-rows';
import { imageView } from '../requests/image-view';
import type { ExplainedInput, Players } from '../requests/players';
import { invalid } from '../requests/refuse';
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
      if (background.inpaints) return inpainting(input, own);
      const { datatype, playerOf } = input;
      return fixedInput({ datatype, playerOf, row: own, background: background.contents[at] as Uint8Array });
    }),
    ...players.texts.map((text) => textMasker(text, bytesOf(text.name), background.count)),
  ]);
}

function removing({ datatype, playerOf }: ExplainedInput, row: Uint8Array, padding: number): InputMasker {
  return removingInput({ datatype, playerOf, row, pad: fromNumbers(datatype, [padding]) });
}

/** @throws ShoalError INVALID_ARGUMENT where there are no holes that could be painted over */
function inpainting({ name, datatype, shape, axes, playerOf }: ExplainedInput, row: Uint8Array): InputMasker {
  const view = imageView(name, shape, axes);
  const { height, width, channels, elementOf } = view;
  const pixels = height * width;
  const ofPixel = Int32Array.from(
    { length: pixels },
    (_, pixel) => playerOf[elementOf[pixel * channels] as number] ?? -1,
  );
  if (elementOf.some((element, at) => playerOf[element] !== ofPixel[Math.floor(at / channels)])) {
    throw invalid('baseline: INPAINT needs features of whole pixels: divide the image (explained.grid, .superpixels)');
  }
  const planes = channels > 1 && elementOf[1] === pixels;
  const isPlain = elementOf.every((element, at) => {
    return element === (planes ? (at % channels) * pixels + Math.floor(at / channels) : at);
  });
  if (!isPlain)
    throw invalid('baseline: INPAINT is of images of [channels, height, width] or [height, width, channels]');
  const values = toNumbers(datatype, row);
  return inpaintedInput({ datatype, image: { height, width, channels, planes, values }, playerOf: ofPixel });
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
