import { blurBaseline, constantBaseline, type Image, inpaintedInput, meanBaseline, superpixels } from '@shoal/explain';
import { toNumbers } from '@shoal/tensor';
import { expectClose, furthest } from '../../test/drive';

function imageOf(
  height: number,
  width: number,
  channels: number,
  planes: boolean,
  at: (y: number, x: number, c: number) => number,
): Image {
  const values = Float64Array.from({ length: height * width * channels }, (_, i) => {
    const channel = planes ? Math.floor(i / (height * width)) : i % channels;
    const pixel = planes ? i % (height * width) : Math.floor(i / channels);
    return at(Math.floor(pixel / width), pixel % width, channel);
  });
  return { height, width, channels, planes, values };
}

describe.each([true, false])('planes: %s', (planes) => {
  test('baselines: constant, mean of each channel', () => {
    const image = imageOf(2, 3, 2, planes, (y, x, c) => (c === 0 ? 3 * y + x : 7));
    expect(constantBaseline(image, 4)).toEqual(new Float64Array(12).fill(4));
    expect(meanBaseline(image)).toEqual(imageOf(2, 3, 2, planes, (_y, _x, c) => (c === 0 ? 2.5 : 7)).values);
  });

  test('a blur is the product of two Gaussians, and leaves what is even as it is', () => {
    const sigma = 0.8;
    const point = imageOf(11, 9, 2, planes, (y, x, c) => (c === 1 && y === 5 && x === 4 ? 1 : 0));
    const g = (d: number) => (Math.abs(d) > 3 ? 0 : Math.exp((-d * d) / (2 * sigma * sigma)));
    const sum = [-3, -2, -1, 0, 1, 2, 3].reduce((total, d) => total + g(d), 0);
    const want = imageOf(11, 9, 2, planes, (y, x, c) => (c === 1 ? (g(y - 5) * g(x - 4)) / sum ** 2 : 0));
    // Columns 0 and 8 are four away: no border is in reach, so the sums are the same everywhere that is not 0.
    const blurred = blurBaseline(point, sigma);
    const inner = (values: Float64Array) =>
      imageOf(11, 9, 2, planes, (y, x, c) => {
        const i = planes ? c * 99 + y * 9 + x : (y * 9 + x) * 2 + c;
        return y >= 3 && y <= 7 && x >= 3 && x <= 5 ? (values[i] as number) : 0;
      }).values;
    expect(furthest(inner(blurred), inner(want.values))).toBeLessThan(1e-12);
    const even = imageOf(4, 5, 1, planes, () => 3);
    expectClose(blurBaseline(even, 5), even.values, 1e-12);
  });

  test('a hole is painted over from around it; where nothing is left, with the mean', () => {
    const image = imageOf(6, 6, 2, planes, (y, x, c) => (y === 2 && x === 3 ? 100 : c));
    const playerOf = Int32Array.from({ length: 36 }, (_, pixel) => (pixel === 15 || pixel === 16 ? 0 : 1));
    const input = inpaintedInput({ datatype: 'FP64', image, playerOf });
    const paint = (mask: Uint8Array) => {
      const into = new Uint8Array(input.byteSize(mask));
      expect(input.write(mask, into, 0)).toBe(into.length);
      return toNumbers('FP64', into);
    };
    expectClose(paint(Uint8Array.of(0, 1)), imageOf(6, 6, 2, planes, (_y, _x, c) => c).values);
    expect(paint(Uint8Array.of(0, 0))).toEqual(meanBaseline(image));
    expect(paint(Uint8Array.of(1, 1))).toEqual(image.values);
  });

  test('diffusion comes near to the plane that surrounds a hole', () => {
    const image = imageOf(9, 9, 1, planes, (y, x) => 2 * y + x);
    const playerOf = Int32Array.from({ length: 81 }, (_, pixel) => {
      const [y, x] = [Math.floor(pixel / 9), pixel % 9];
      return y >= 3 && y <= 5 && x >= 3 && x <= 5 ? 0 : -1;
    });
    const hole = (sweeps: number) => {
      const input = inpaintedInput({ datatype: 'FP64', image, playerOf, sweeps });
      const into = new Uint8Array(81 * 8);
      input.write(Uint8Array.of(0), into, 0);
      return furthest(toNumbers('FP64', into), image.values);
    };
    expect(hole(0)).toBeGreaterThan(1);
    expect(hole(40)).toBeLessThan(1e-6);
  });

  test('superpixels keep to edges, are connected, and numbered in reading order', () => {
    const image = imageOf(20, 30, 3, planes, (_y, x, c) => (x < 13 ? 0 : c + 1));
    const pieces = superpixels(image, { segments: 24 });
    const count = Math.max(...pieces) + 1;
    expect(count).toBeGreaterThanOrEqual(12);
    expect(count).toBeLessThanOrEqual(40);
    const first = Array.from({ length: count }, (_, piece) => pieces.indexOf(piece));
    expect(first).toEqual(first.toSorted((a, b) => a - b));
    for (let piece = 0; piece < count; piece++) {
      const members = [...pieces.keys()].filter((pixel) => pieces[pixel] === piece);
      expect(new Set(members.map((pixel) => pixel % 30 < 13)).size).toBe(1);
      expect(reached(members, 30)).toBe(members.length);
    }
  });
});

/** Pixels that can be reached from the first without leaving the set. */
function reached(members: readonly number[], width: number): number {
  const left = new Set(members);
  const queue = members.slice(0, 1);
  left.delete(queue[0] as number);
  for (const pixel of queue)
    for (const next of [
      pixel - width,
      pixel + width,
      pixel % width > 0 ? pixel - 1 : -1,
      pixel % width < width - 1 ? pixel + 1 : -1,
    ])
      if (left.delete(next)) queue.push(next);
  return queue.length;
}

test('an image of other sizes than it says is refused', () => {
  const image = { height: 2, width: 2, channels: 1, planes: true, values: new Float64Array(5) };
  expect(() => meanBaseline(image)).toThrow('2 × 2 pixels and 1 channels has 4 values, got 5');
  expect(() => superpixels({ ...image, values: new Float64Array(4) }, { segments: 5 })).toThrow(
    /cannot be cut into 5/u,
  );
});
