import { ShoalError } from '@shoal/core';
import { checkImage, type Image, layoutOf } from './image';

/** An image of one value. */
export function constantBaseline(image: Image, value: number): Float64Array {
  checkImage(image);
  return new Float64Array(image.values.length).fill(value);
}

/** Each channel's mean, everywhere: the image's colour without its content. */
export function meanBaseline(image: Image): Float64Array {
  checkImage(image);
  const { step, first } = layoutOf(image);
  const pixels = image.height * image.width;
  const baseline = new Float64Array(image.values.length);
  for (let channel = 0; channel < image.channels; channel++) {
    let sum = 0;
    for (let pixel = 0; pixel < pixels; pixel++) sum += image.values[first(channel) + pixel * step] as number;
    for (let pixel = 0; pixel < pixels; pixel++) baseline[first(channel) + pixel * step] = sum / pixels;
  }
  return baseline;
}

/**
 * The image out of focus: a Gaussian of standard deviation `sigma` pixels, cut off at 3σ, over rows and then over columns. Beyond
 * the border its weights are given to the pixels there are.
 */
export function blurBaseline(image: Image, sigma: number): Float64Array {
  checkImage(image);
  if (!(sigma > 0)) throw new ShoalError('INVALID_ARGUMENT', `sigma of a blur must be more than 0, got ${sigma}`);
  const { height, width, channels } = image;
  const radius = Math.ceil(3 * sigma);
  const kernel = Float64Array.from({ length: radius + 1 }, (_, d) => Math.exp((-d * d) / (2 * sigma * sigma)));
  const { step, first } = layoutOf(image);
  const across = new Float64Array(image.values.length);
  const blurred = new Float64Array(image.values.length);
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++)
      blurLine(image.values, across, first(channel) + y * width * step, step, width, kernel);
    for (let x = 0; x < width; x++) blurLine(across, blurred, first(channel) + x * step, width * step, height, kernel);
  }
  return blurred;
}

function blurLine(
  from: Float64Array,
  into: Float64Array,
  first: number,
  step: number,
  length: number,
  kernel: Float64Array,
): void {
  const radius = kernel.length - 1;
  for (let at = 0; at < length; at++) {
    let [sum, weights] = [0, 0];
    for (let other = Math.max(0, at - radius); other <= Math.min(length - 1, at + radius); other++) {
      const weight = kernel[Math.abs(other - at)] as number;
      sum += weight * (from[first + other * step] as number);
      weights += weight;
    }
    into[first + at * step] = sum / weights;
  }
}
