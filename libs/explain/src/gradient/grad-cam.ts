import { ShoalError } from '@shoal/core';

/** A layer's answer for one row: channels of maps of one size. */
export interface LayerMaps {
  /** [channels × height × width]. */
  readonly activations: Float64Array;
  /** Of the explained output by the activations, the same shape. */
  readonly gradients: Float64Array;
  readonly channels: number;
  /** Of one dimension: height 1. */
  readonly height: number;
  readonly width: number;
}

/**
 * Grad-CAM (Selvaraju et al. 2017): the sum of a layer's maps, each weighted by its mean gradient, [height × width].
 * `positiveOnly`, as in the paper, keeps what speaks for the output.
 */
export function gradCam(layer: LayerMaps, positiveOnly = true): Float64Array {
  const { activations, gradients, channels, height, width } = layer;
  const size = height * width;
  if (activations.length !== channels * size || gradients.length !== channels * size)
    throw new ShoalError('INTERNAL', 'the maps of a layer do not have its shape');
  const map = new Float64Array(size);
  for (let channel = 0; channel < channels; channel += 1) {
    const start = channel * size;
    let weight = 0;
    for (let at = 0; at < size; at += 1) weight += (gradients[start + at] as number) / size;
    for (let at = 0; at < size; at += 1) map[at] = (map[at] as number) + weight * (activations[start + at] as number);
  }
  return positiveOnly ? map.map((value) => Math.max(0, value)) : map;
}

/**
 * A map in another size, by linear interpolation between pixels' centres (half-pixel coordinates, edges repeated): to lay a
 * coarse layer's map over the picture.
 */
export function resample(
  map: Float64Array,
  from: readonly [height: number, width: number],
  to: readonly [height: number, width: number],
): Float64Array {
  const result = new Float64Array(to[0] * to[1]);
  const rows = positions(from[0], to[0]);
  const columns = positions(from[1], to[1]);
  for (const [row, y] of rows.entries()) {
    for (const [column, x] of columns.entries()) {
      const at = (down: number, right: number): number => map[down * from[1] + right] as number;
      const above = at(y.low, x.low) * (1 - x.part) + at(y.low, x.high) * x.part;
      const below = at(y.high, x.low) * (1 - x.part) + at(y.high, x.high) * x.part;
      result[row * to[1] + column] = above * (1 - y.part) + below * y.part;
    }
  }
  return result;
}

/** For each place of the new size: the two places of the old one around it, and how far it is to the second. */
function positions(from: number, to: number): { low: number; high: number; part: number }[] {
  return Array.from({ length: to }, (_, index) => {
    const place = Math.min(Math.max(((index + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(place);
    return { low, high: Math.min(low + 1, from - 1), part: place - low };
  });
}
