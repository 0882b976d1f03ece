import { ShoalError } from '@shoal/core';

/** An image as numbers. */
export interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Channels one after the other (NCHW); else all channels of a pixel together (NHWC). */
  readonly planes: boolean;
  /** [channels × height × width] or [height × width × channels]. */
  readonly values: Float64Array;
}

/** @throws ShoalError INVALID_ARGUMENT where there are not as many values as the sizes say. */
export function checkImage({ height, width, channels, values }: Image): void {
  if (height < 1 || width < 1 || channels < 1 || values.length !== height * width * channels)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `an image of ${height} × ${width} pixels and ${channels} channels has ${height * width * channels} values, got ${values.length}`,
    );
}

/** Where a pixel's value of a channel stands is `first(channel) + pixel · step`. */
export function layoutOf({ height, width, channels, planes }: Image): {
  readonly step: number;
  readonly first: (channel: number) => number;
} {
  return planes
    ? { step: 1, first: (channel) => channel * height * width }
    : { step: channels, first: (channel) => channel };
}
