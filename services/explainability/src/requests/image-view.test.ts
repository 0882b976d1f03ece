import { byElement, imageAxes, imageOf, imageView, rowOfImage } from './image-view';

const message = {
  ...{ name: 'x', feature_names: [], groups: [], grid: null, text: null, fixed: [], removal: null },
  ...{ superpixels: null, image: null },
};
const last = { height_axis: 0, width_axis: 0 };

test.each([
  ['planes', [2, 2, 3], { height_axis: 1, width_axis: 2 }, [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]],
  ['pixels', [2, 3, 2], { height_axis: 0, width_axis: 1 }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  ['columns first', [3, 2, 2], { height_axis: 1, width_axis: 0 }, [0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11]],
])('%s: channels of a pixel stand beside each other, and go back where they were', (_, shape, axes, elementOf) => {
  const view = imageView('x', shape, axes);
  expect(view).toMatchObject({ height: 2, width: 3, channels: 2 });
  expect([...view.elementOf]).toEqual(elementOf);
  const row = Float64Array.from({ length: 12 }, (__, at) => 100 + at);
  const image = imageOf(view, row);
  expect(image).toMatchObject({ height: 2, width: 3, channels: 2, planes: false });
  expect([...image.values]).toEqual(elementOf.map((element) => 100 + element));
  expect([...rowOfImage(view, image.values)]).toEqual([...row]);
  const pixels = byElement(view, [0, 1, 2, 3, 4, 5]);
  elementOf.forEach((element, at) => expect(pixels[element]).toBe(Math.floor(at / 2)));
});

test('an image is the last two axes, or the first two of a few channels, or where the request says', () => {
  expect(imageAxes(message, [3, 32, 32])).toEqual(last);
  expect(imageAxes(message, [32, 32, 3])).toEqual({ height_axis: 0, width_axis: 1 });
  expect(imageAxes(message, [32, 32])).toEqual(last);
  const axes = { height_axis: 2, width_axis: 1 };
  expect(imageAxes({ ...message, image: axes }, [32, 32, 3])).toBe(axes);
  expect(() => imageView('x', [5], last)).toThrow("input 'x' has no such axes for an image: its rows are [5]");
});
