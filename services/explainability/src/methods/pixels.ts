import { type ImageView, byElement, imageView } from '../requests/image-view';
import type { ExplainedInput } from '../requests/players';
import { invalid, quoted } from '../requests/refuse';
import type { MethodContext } from './method';

/** The one image that is explained. @throws ShoalError INVALID_ARGUMENT where there is not just one */
export function imageInput({ players }: MethodContext, method: string): ExplainedInput {
  const [input, ...others] = players.inputs;
  if (!input || others.length > 0 || players.texts.length > 0) {
    throw invalid(`${method} is of one image: name the input that it is (explained)`);
  }
  return input;
}

/** The same as an image. @throws ShoalError INVALID_ARGUMENT where its rows are none */
export function imageOfInput({ name, shape, axes }: ExplainedInput, method: string): ImageView {
  if (shape.length >= 2) return imageView(name, shape, axes);
  throw invalid(`${method} is of images: a row of input ${quoted(name)} has the shape [${shape.join(',')}]`);
}

/** For each player, the mean of a map over the pixels of its elements. */
export function meanByPlayer(
  { sizes }: MethodContext['players'],
  { playerOf }: ExplainedInput,
  view: ImageView,
  map: Float64Array,
): Float64Array {
  const pixels = byElement(
    view,
    Int32Array.from(map, (_, pixel) => pixel),
  );
  const sums = new Float64Array(sizes.length);
  for (const [at, player] of playerOf.entries()) {
    if (player >= 0) sums[player] = (sums[player] as number) + (map[pixels[at] as number] as number);
  }
  return sums.map((sum, player) => sum / (sizes[player] as number));
}
