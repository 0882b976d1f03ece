import { ShoalError } from '@shoal/core';
import { checkImage, type Image, layoutOf } from './image';

export interface SuperpixelOptions {
  /** About how many. */
  readonly segments: number;
  /** How much nearness counts against likeness of colour; more makes them squarer. */
  readonly compactness?: number;
  readonly iterations?: number;
}

/**
 * Superpixels by SLIC (Achanta et al. 2012): k-means over place and colour, each centre looking no further than twice the distance
 * between centres. Colours are scaled so that the image's range is 100, as that of lightness. Pieces that are not connected, or less
 * than a quarter of the usual size, go to a neighbour.
 * @returns the superpixel of each pixel, numbered from 0 in reading order, [height × width]
 */
export function superpixels(image: Image, options: SuperpixelOptions): Int32Array {
  checkImage(image);
  const { height, width, channels } = image;
  const { segments, compactness = 10, iterations = 10 } = options;
  const pixels = height * width;
  if (!(segments >= 1 && segments <= pixels))
    throw new ShoalError('INVALID_ARGUMENT', `an image of ${pixels} pixels cannot be cut into ${segments} superpixels`);
  const spacing = Math.sqrt(pixels / segments);
  const colours = coloursOf(image);
  const size = channels + 2;
  const centres = startingCentres(image, colours, spacing);
  const count = centres.length / size;
  const nearest = new Int32Array(pixels);
  const distances = new Float64Array(pixels);
  const sums = new Float64Array(count * (size + 1));
  for (let iteration = 0; iteration < iterations; iteration++) {
    distances.fill(Infinity);
    for (let c = 0; c < count; c++) {
      const cy = centres[c * size] as number;
      const cx = centres[c * size + 1] as number;
      for (let y = Math.max(0, Math.ceil(cy - 2 * spacing)); y <= Math.min(height - 1, cy + 2 * spacing); y++)
        for (let x = Math.max(0, Math.ceil(cx - 2 * spacing)); x <= Math.min(width - 1, cx + 2 * spacing); x++) {
          const pixel = y * width + x;
          let d = ((compactness / spacing) * (y - cy)) ** 2 + ((compactness / spacing) * (x - cx)) ** 2;
          for (let channel = 0; channel < channels; channel++)
            d += ((colours[pixel * channels + channel] as number) - (centres[c * size + 2 + channel] as number)) ** 2;
          if (d >= (distances[pixel] as number)) continue;
          distances[pixel] = d;
          nearest[pixel] = c;
        }
    }
    sums.fill(0);
    for (let pixel = 0; pixel < pixels; pixel++) {
      const at = (nearest[pixel] as number) * (size + 1);
      const add = (i: number, value: number) => (sums[at + i] = (sums[at + i] as number) + value);
      add(0, Math.floor(pixel / width));
      add(1, pixel % width);
      for (let channel = 0; channel < channels; channel++)
        add(2 + channel, colours[pixel * channels + channel] as number);
      add(size, 1);
    }
    for (let c = 0; c < count; c++) {
      const members = sums[c * (size + 1) + size] as number;
      if (members === 0) continue;
      for (let i = 0; i < size; i++) centres[c * size + i] = (sums[c * (size + 1) + i] as number) / members;
    }
  }
  return connected(nearest, height, width, pixels / count / 4);
}

/** [pixels × channels], the whole image's range scaled to 100. */
function coloursOf(image: Image): Float64Array {
  const { step, first } = layoutOf(image);
  const [low, high] = [image.values.reduce((a, b) => Math.min(a, b)), image.values.reduce((a, b) => Math.max(a, b))];
  const scale = high > low ? 100 / (high - low) : 1;
  return Float64Array.from(
    { length: image.values.length },
    (_, i) => scale * (image.values[first(i % image.channels) + Math.floor(i / image.channels) * step] as number),
  );
}

/** Centres on a regular grid, [centres × (y, x, colour…)]. */
function startingCentres({ height, width, channels }: Image, colours: Float64Array, spacing: number): Float64Array {
  const rows = Math.max(1, Math.round(height / spacing));
  const columns = Math.max(1, Math.round(width / spacing));
  const centres: number[] = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const y = Math.floor(((row + 0.5) * height) / rows);
      const x = Math.floor(((column + 0.5) * width) / columns);
      const from = (y * width + x) * channels;
      centres.push(y, x, ...colours.subarray(from, from + channels));
    }
  return Float64Array.from(centres);
}

/** Gives each connected piece a number of its own; pieces smaller than `least` get that of the piece before them that they touch. */
function connected(nearest: Int32Array, height: number, width: number, least: number): Int32Array {
  const pieces = new Int32Array(nearest.length).fill(-1);
  const queue = new Int32Array(nearest.length);
  let count = 0;
  for (let start = 0; start < nearest.length; start++) {
    if (pieces[start] !== -1) continue;
    // Left or above, where another piece has been numbered already; none at the first pixel.
    const beside =
      start % width > 0 ? (pieces[start - 1] as number) : start >= width ? (pieces[start - width] as number) : -1;
    let end = 0;
    const reach = (pixel: number): void => {
      if (pieces[pixel] !== -1 || nearest[pixel] !== nearest[start]) return;
      pieces[pixel] = count;
      queue[end++] = pixel;
    };
    reach(start);
    for (let at = 0; at < end; at++) {
      const pixel = queue[at] as number;
      if (pixel % width > 0) reach(pixel - 1);
      if (pixel % width < width - 1) reach(pixel + 1);
      if (pixel >= width) reach(pixel - width);
      if (pixel < (height - 1) * width) reach(pixel + width);
    }
    if (end >= least || beside < 0) count++;
    else for (let at = 0; at < end; at++) pieces[queue[at] as number] = beside;
  }
  return pieces;
}
