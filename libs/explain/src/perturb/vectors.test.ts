import { ablation, fixedInput, type Masker, masker, occlusion } from '@shoal/explain';
import { fromNumbers, toNumbers } from '@shoal/tensor';
import { drive, explain, expectClose, valuesOf } from '../../test/drive';

const relu = (x: number) => Math.max(0, x);

/** First output of Captum's `BasicModel_MultiLayer`. */
function multiLayer(x: ArrayLike<number>): number {
  const sum = Array.from(x).reduce((total, one) => total + one, 0);
  return relu(sum - 10) + 3 * relu(sum + 1) - 1;
}

const game = (x: readonly number[], baseline: number) => (mask: Uint8Array) =>
  multiLayer(x.map((value, i) => (mask[i] === 1 ? value : baseline)));

test('ablation of each feature', () => {
  const result = explain(ablation({ players: 3 }), game([20, 50, 30], 0));
  expectClose(valuesOf(result), [80, 200, 120]);
  expect(result).toMatchObject({ exact: true, evaluations: 5, outputs: [{ baseValue: 2, outputValue: 392 }] });
  expect(result.outputs[0]?.additivityGap).toBeCloseTo(390 - 400, 12);
});

test('occlusion by a window of two, averaged where windows overlap', () => {
  const result = explain(occlusion({ shape: [3], window: [2] }), game([20, 50, 30], 10));
  expectClose(valuesOf(result), [200, 220, 240]);
  expect(result.evaluations).toBe(4);
});

/** Captum's `ConvNet_One_Conv`, first output: two 3 × 3 convolutions of ones over x + x2, and a linear layer of 1 and −1. */
function convNet(x: Float64Array, x2: number): number {
  const hidden: number[] = [];
  for (const bias of [-50, -75])
    for (const corner of [0, 1, 4, 5]) {
      let sum = bias;
      for (let i = 0; i < 9; i++) sum += (x[corner + 4 * Math.floor(i / 3) + (i % 3)] as number) + x2;
      hidden.push(relu(sum));
    }
  return relu(hidden.reduce((total, one, i) => total + (i < 5 ? one : -one), 0));
}

/** Evaluates coalitions of a masker over x = 0…15 and x2 = 1, against a background of zeros. */
function masked(of: Masker) {
  return (batch: { count: number; players: number; masks: Uint8Array }) => {
    const into = of.byteSizes(batch, 0, batch.count).map((size) => new Uint8Array(size));
    of.write(batch, 0, batch.count, into);
    const [x, x2] = into.map((bytes) => toNumbers('FP32', bytes)) as [Float64Array, Float64Array];
    return Float64Array.from(x2, (second, row) => convNet(x.subarray(row * 16, row * 16 + 16), second));
  };
}

const image = fromNumbers('FP32', [...Array(16).keys()]);

function twoInputs(playersOfImage: Int32Array, second: number): Masker {
  return masker(
    Array.from({ length: second + 1 }, (_, i) => `p${i}`),
    [
      fixedInput({ datatype: 'FP32', playerOf: playersOfImage, row: image, background: new Uint8Array(64) }),
      fixedInput({
        datatype: 'FP32',
        playerOf: Int32Array.of(second),
        row: fromNumbers('FP32', [1]),
        background: new Uint8Array(4),
      }),
    ],
  );
}

test('a convolutional net of two inputs: all of the image, and the other', () => {
  const result = drive(ablation({ players: 2 }), masked(twoInputs(new Int32Array(16), 1)));
  expectClose(valuesOf(result), [67, 13]);
  expect(result.outputs[0]).toMatchObject({ baseValue: 0, outputValue: 67 });
});

test('a window over the image alone; at its far edges it is cut', () => {
  const of = masker(
    ['x'],
    [fixedInput({ datatype: 'FP32', playerOf: new Int32Array(16), row: image, background: new Uint8Array(64) })],
  );
  expect(of.rowsPerMask).toBe(1);
  const hide = (hidden: readonly number[]) =>
    convNet(
      Float64Array.from({ length: 16 }, (_, i) => (hidden.includes(i) ? 0 : i)),
      1,
    );
  const whole = hide([]);
  expect(whole).toBe(67);
  const result = explain(occlusion({ shape: [4, 4], window: [3, 3], stride: [2, 3] }), (mask) =>
    hide([...mask.keys()].filter((i) => mask[i] === 0)),
  );
  // Windows from (0, 0), (0, 3), (2, 0) and (2, 3): the third row is in two of each column's.
  const rect = (y0: number, y1: number, x0: number, x1: number) =>
    [...Array(16).keys()].filter((i) => i >> 2 >= y0 && i >> 2 < y1 && i % 4 >= x0 && i % 4 < x1);
  const falls = [rect(0, 3, 0, 3), rect(0, 3, 3, 4), rect(2, 4, 0, 3), rect(2, 4, 3, 4)].map(
    (part) => whole - hide(part),
  );
  expectClose(
    valuesOf(result),
    Array.from({ length: 16 }, (_, i) => {
      const right = i % 4 === 3 ? 1 : 0;
      const [above, below] = [falls[right] as number, falls[2 + right] as number];
      return i >> 2 < 2 ? above : i >> 2 === 2 ? (above + below) / 2 : below;
    }),
  );
});

test('windows that leave gaps or do not fit are refused', () => {
  expect(() => occlusion({ shape: [4], window: [2], stride: [3] })).toThrow(/axis 0 of 4/u);
  expect(() => occlusion({ shape: [4], window: [5] })).toThrow(/axis 0 of 4/u);
  expect(() => occlusion({ shape: [4, 4], window: [2] })).toThrow(/an entry for each axis/u);
});

test('what is not known yet is no number', () => {
  const estimator = ablation({ players: 3 });
  const batch = estimator.next(3);
  expect(estimator.result()).toBeUndefined();
  estimator.tell(new Float64Array(batch?.count ?? 0));
  expect(valuesOf(estimator.result()!)).toEqual([0, Number.NaN, Number.NaN]);
});
