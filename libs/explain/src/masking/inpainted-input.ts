import { ShoalError } from '@shoal/core';
import { type DataType, fromNumbers } from '@shoal/tensor';
import { checkImage, type Image, layoutOf } from './image';
import { meanBaseline } from './image-baselines';
import type { InputMasker } from './masker';

export interface InpaintedInputOptions {
  readonly datatype: Exclude<DataType, 'BYTES'>;
  readonly image: Image;
  /** The player of each pixel, −1: none, [height × width]. */
  readonly playerOf: Int32Array;
  /** Sweeps of the diffusion; more reach further into large holes. */
  readonly sweeps?: number;
}

/**
 * An image whose absent parts are painted over from what surrounds them: holes take the colour of the nearest pixel that is present
 * and are then smoothed by diffusion (each pixel the mean of its four neighbours). Nothing present: each channel's mean.
 */
export function inpaintedInput({ datatype, image, playerOf, sweeps = 16 }: InpaintedInputOptions): InputMasker {
  checkImage(image);
  if (playerOf.length !== image.height * image.width)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `${image.height} × ${image.width} pixels need as many players' numbers, got ${playerOf.length}`,
    );
  const mean = meanBaseline(image);
  const size = fromNumbers(datatype, mean).length;
  return {
    players: playerOf.reduce((most, player) => Math.max(most, player + 1), 0),
    rowsPerMask: 1,
    byteSize: () => size,
    write(mask, into, at) {
      const present = Uint8Array.from(playerOf, (player) => (player < 0 || mask[player] === 1 ? 1 : 0));
      into.set(fromNumbers(datatype, present.includes(1) ? inpaint(image, present, sweeps) : mean), at);
      return at + size;
    },
  };
}

/** The image with holes filled. @param present [height × width] */
export function inpaint(image: Image, present: Uint8Array, sweeps: number): Float64Array {
  const { height, width, channels } = image;
  const { step, first } = layoutOf(image);
  const values = image.values.slice();
  const { holes, source } = nearestPresent(present, height, width);
  for (let channel = 0; channel < channels; channel++) {
    const start = first(channel);
    // A plane of its own: neighbours are then where they are in the image.
    const plane = new Float64Array(height * width);
    for (let pixel = 0; pixel < plane.length; pixel++) plane[pixel] = values[start + pixel * step] as number;
    for (let i = 0; i < holes.length; i++)
      plane[holes[i] as number] = plane[source[holes[i] as number] as number] as number;
    for (let sweep = 0; sweep < sweeps; sweep++) diffuse(plane, holes, height, width);
    for (let i = 0; i < holes.length; i++)
      values[start + (holes[i] as number) * step] = plane[holes[i] as number] as number;
  }
  return values;
}

/** Each hole becomes the mean of its four neighbours; at the border it is its own. */
function diffuse(plane: Float64Array, holes: Int32Array, height: number, width: number): void {
  for (let i = 0; i < holes.length; i++) {
    const pixel = holes[i] as number;
    const x = pixel % width;
    const left = plane[x > 0 ? pixel - 1 : pixel] as number;
    const right = plane[x < width - 1 ? pixel + 1 : pixel] as number;
    const above = plane[pixel >= width ? pixel - width : pixel] as number;
    const below = plane[pixel < (height - 1) * width ? pixel + width : pixel] as number;
    plane[pixel] = (left + right + above + below) / 4;
  }
}

/** Breadth first from the pixels that are present: holes in the order in which they are reached, and whose colour each takes. */
function nearestPresent(
  present: Uint8Array,
  height: number,
  width: number,
): { readonly holes: Int32Array; readonly source: Int32Array } {
  const source = new Int32Array(present.length).fill(-1);
  const queue = new Int32Array(present.length);
  let end = 0;
  for (const [pixel, is] of present.entries())
    if (is === 1) {
      source[pixel] = pixel;
      queue[end++] = pixel;
    }
  const given = end;
  const reach = (pixel: number, from: number): void => {
    if (source[pixel] !== -1) return;
    source[pixel] = source[from] as number;
    queue[end++] = pixel;
  };
  for (let at = 0; at < end; at++) {
    const pixel = queue[at] as number;
    const x = pixel % width;
    if (x > 0) reach(pixel - 1, pixel);
    if (x < width - 1) reach(pixel + 1, pixel);
    if (pixel >= width) reach(pixel - width, pixel);
    if (pixel < (height - 1) * width) reach(pixel + width, pixel);
  }
  return { holes: queue.slice(given, end), source };
}
