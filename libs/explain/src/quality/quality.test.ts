import { seededRandom } from '@shoal/core';
import {
  infidelityOfMasks,
  infidelityOfNoise,
  nearbyRow,
  relativeChange,
  removalCurve,
  type RowEstimator,
  sensitivityMax,
} from '@shoal/explain';
import { drive, expectClose, play, predict } from '../../test/drive';

const weights = [4, -1, 2, 0.5];
const linear = (mask: Uint8Array) => mask.reduce((sum, one, i) => sum + one * weights[i]!, 3);

test('exact attributions of an additive game have no infidelity; wrong ones the mean square of what they miss', () => {
  const seen: number[] = [];
  const result = drive(
    infidelityOfMasks({
      attributions: [Float64Array.from(weights), Float64Array.of(4, -1, 2, 1.5)],
      samples: 200,
      seed: 3,
    }),
    play((mask) => {
      seen.push(mask[3]!);
      return [linear(mask), linear(mask)];
    }),
  );
  expect(result.values[0]).toBeLessThan(1e-20);
  // The last is worth one too much: missed by 1 whenever it is taken away.
  const absent = seen.slice(1).filter((one) => one === 0).length;
  expect(result.values[1]).toBeCloseTo(absent / 200, 12);
  expect(result.evaluations).toBe(201);
  expect(seen[0]).toBe(1);
  const p = absent / 200;
  expect(result.standardErrors[1]).toBeCloseTo(Math.sqrt((p * (1 - p)) / 199), 12);
});

test('scaled, proportions alone are judged', () => {
  const attributions = [Float64Array.from(weights, (weight) => 10 * weight)];
  const run = (scaled: boolean) =>
    drive(infidelityOfMasks({ attributions, samples: 50, seed: 3, scaled }), play(linear));
  expect(run(false).values[0]).toBeGreaterThan(100);
  // Sums of squares are subtracted: rounding is left.
  expect(run(true).values[0]).toBeLessThan(1e-12);
  expect(run(true).factors[0]).toBeCloseTo(0.1, 12);
});

test('a gradient foretells noise of a linear model, and of a square but for its second order', () => {
  const row = Float64Array.of(1, 2);
  const options = { row, spreads: Float64Array.of(0.1, 0.3), samples: 4000, seed: 5 };
  const exact = drive(
    infidelityOfNoise({ ...options, attributions: [Float64Array.of(3, -2)] }),
    predict(([a, b]) => 3 * a! - 2 * b!),
  );
  expect(exact.values[0]).toBeLessThan(1e-20);
  const square = drive(
    infidelityOfNoise({ ...options, attributions: [Float64Array.of(2, 0)] }),
    predict(([a]) => a! * a!),
  );
  // f(x) − f(x − I) = 2xI − I²: missed is I², whose square has the mean 3σ⁴.
  expect(Math.abs(square.values[0]! - 3 * 0.1 ** 4)).toBeLessThan(5 * square.standardErrors[0]!);
  expect(square.standardErrors[0]).toBeLessThan(0.1 * 3 * 0.1 ** 4 * 2);
});

test('deletion and insertion curves go in the order of importance, and have the area of their trapezoids', () => {
  const values = Float64Array.from(weights);
  const deletion = drive(removalCurve({ values, mode: 'deletion' }), play(linear));
  expect([...deletion.outputs]).toEqual([8.5, 4.5, 2.5, 2, 3]);
  expectClose(deletion.area, [(8.5 + 4.5 + 2.5 + 2 + 3 - 8.5 / 2 - 3 / 2) / 4]);
  const insertion = drive(
    removalCurve({ values, mode: 'insertion' }),
    play((mask) => [linear(mask), 1]),
  );
  expect([...insertion.outputs]).toEqual([3, 1, 7, 1, 9, 1, 9.5, 1, 8.5, 1]);
  expectClose(insertion.area, [(3 + 7 + 9 + 9.5 + 8.5 - 3 / 2 - 8.5 / 2) / 4, 1]);
  const coarse = drive(removalCurve({ values, mode: 'deletion', steps: 3 }), play(linear));
  expect([...coarse.parts]).toEqual([0, 0.5, 1]);
  expect([...coarse.outputs]).toEqual([8.5, 2.5, 3]);
});

/** Asks for one row and says what the model makes of it, as two attributions. */
function explainer(row: Float64Array): RowEstimator<readonly Float64Array[]> {
  let [asked, answer]: [boolean, Float64Array | undefined] = [false, undefined];
  return {
    next: () => {
      if (asked) return undefined;
      asked = true;
      return { count: 1, features: row.length, rows: row };
    },
    tell: (values) => {
      answer = values.slice();
    },
    get done() {
      return answer !== undefined;
    },
    result: () => answer && [answer, Float64Array.of(0)],
  };
}

test('sensitivity is the largest relative change among rows nearby', () => {
  const row = Float64Array.of(1, 2);
  const model = ([a, b]: Float64Array) => [a! * a!, b!];
  const random = seededRandom(4);
  const want = Array.from({ length: 10 }, () => nearbyRow(row, 0.1, random)).map((near) => {
    expect(Math.max(Math.abs(near[0]! - 1), Math.abs(near[1]! - 2))).toBeLessThanOrEqual(0.1);
    return Math.hypot(near[0]! ** 2 - 1, near[1]! - 2) / Math.hypot(1, 2);
  });
  for (const ahead of [1, 3, 20]) {
    const result = drive(
      sensitivityMax({ row, radius: 0.1, seed: 4, explain: explainer }),
      predict(model),
      () => 64,
      ahead,
    );
    expect(result.samples).toBe(10);
    expect(result.values[0]).toBeCloseTo(Math.max(...want), 12);
    expect(result.values[1]).toBe(0);
  }
  expect(relativeChange(Float64Array.of(1), Float64Array.of(0))).toBe(Infinity);
});

test('explanations that end before older ones are kept until their turn', () => {
  let made = 0;
  /** The first asks three times, one question after another was answered; later ones once. */
  const patient = (row: Float64Array): RowEstimator<readonly Float64Array[]> => {
    let left = made++ === 0 ? 3 : 1;
    let waiting = false;
    let answer: Float64Array | undefined;
    return {
      next: () => {
        if (waiting || left === 0) return undefined;
        waiting = true;
        return { count: 1, features: row.length, rows: row };
      },
      tell: (values) => {
        [waiting, left, answer] = [false, left - 1, values.slice()];
      },
      get done() {
        return left === 0;
      },
      result: () => (left === 0 && answer ? [answer] : undefined),
    };
  };
  const row = Float64Array.of(1, 2);
  const run = (ahead: number) => {
    made = 0;
    const options = { row, radius: 0.1, samples: 6, seed: 4, explain: patient };
    return drive(
      sensitivityMax(options),
      predict(([a, b]) => [a! * b!]),
      () => 64,
      ahead,
    );
  };
  const want = run(1);
  expect(want.values[0]).toBeGreaterThan(0);
  for (const ahead of [2, 5, 20]) expect(run(ahead)).toEqual(want);
});

test('what cannot be measured is refused', () => {
  expect(() => infidelityOfMasks({ attributions: [], seed: 1 })).toThrow(/at least one/u);
  const two = infidelityOfMasks({ attributions: [Float64Array.of(1)], seed: 1 });
  two.next(1);
  expect(() => two.tell(Float64Array.of(1, 2))).toThrow('attributions are of 1 outputs, the model gives 2');
  expect(() => removalCurve({ values: Float64Array.of(1), mode: 'deletion', steps: 1 })).toThrow(/at least 2 points/u);
});
