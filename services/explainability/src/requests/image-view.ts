import type { Image } from '@shoal/explain';
import type { ExplainedInputMessage, ImageAxesMessage } from './messages';
import { invalid, quoted } from './refuse';

/** An input's row seen as an image. */
export interface ImageView {
  readonly height: number;
  readonly width: number;
  /** All that is on the other axes. */
  readonly channels: number;
  /** [pixels × channels]: the element of the row, channels of a pixel beside each other. */
  readonly elementOf: Uint32Array;
}

/** @throws ShoalError INVALID_ARGUMENT for axes that there are not */
export function imageView(name: string, shape: readonly number[], axes: ImageAxesMessage): ImageView {
  const byDefault = axes.height_axis === 0 && axes.width_axis === 0;
  const heightAxis = byDefault ? shape.length - 2 : axes.height_axis;
  const widthAxis = byDefault ? shape.length - 1 : axes.width_axis;
  const [height, width] = [shape[heightAxis], shape[widthAxis]];
  if (height === undefined || width === undefined || heightAxis === widthAxis) {
    throw invalid(`explained: input ${quoted(name)} has no such axes for an image: its rows are [${shape.join(',')}]`);
  }
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, dim) => product * dim, 1));
  const elements = shape.reduce((product, dim) => product * dim, 1);
  const channels = elements / (height * width);
  const elementOf = new Uint32Array(elements);
  const seen = new Uint32Array(height * width);
  for (let at = 0; at < elements; at += 1) {
    const y = Math.floor(at / (strides[heightAxis] as number)) % height;
    const x = Math.floor(at / (strides[widthAxis] as number)) % width;
    const pixel = y * width + x;
    elementOf[pixel * channels + (seen[pixel] as number)] = at;
    seen[pixel] = (seen[pixel] as number) + 1;
  }
  return { height, width, channels, elementOf };
}

/** What pixels are given, for each element of the row. */
export function byElement({ channels, elementOf }: ImageView, ofPixel: ArrayLike<number>): Int32Array {
  const all = new Int32Array(elementOf.length);
  for (let at = 0; at < all.length; at += 1) {
    all[elementOf[at] as number] = ofPixel[Math.floor(at / channels)] as number;
  }
  return all;
}

/** Where the image is, as the request has it or as shapes usually have it. */
export function imageAxes(
  { image, grid, superpixels }: ExplainedInputMessage,
  shape: readonly number[],
): ImageAxesMessage {
  const [height = 0, , channels = 0] = shape;
  const usual = shape.length === 3 && channels <= 4 && height > 4 ? { height_axis: 0, width_axis: 1 } : lastTwo;
  return image ?? grid ?? superpixels ?? usual;
}

const lastTwo: ImageAxesMessage = { height_axis: 0, width_axis: 0 };

/** A row as an image, channels of a pixel beside each other. */
export function imageOf({ height, width, channels, elementOf }: ImageView, row: Float64Array): Image {
  const values = Float64Array.from(elementOf, (element) => row[element] as number);
  return { height, width, channels, planes: false, values };
}

/** An image's values as a row of the input. */
export function rowOfImage({ elementOf }: ImageView, values: Float64Array): Float64Array {
  const row = new Float64Array(values.length);
  for (const [at, element] of elementOf.entries()) row[element] = values[at] as number;
  return row;
}
