import { createHash } from 'node:crypto';
import { type Background, checkBackground, hashBackground, summarize } from '@shoal/explain';
import { encodeStrings, fromNumbers } from '@shoal/tensor';
import * as fc from 'fast-check';
import { expectClose, furthest } from '../../test/drive';

const seed = Number(process.env['TEST_SEED'] ?? Math.trunc(process.hrtime()[1] % 1e6));
console.info(`backgrounds: TEST_SEED=${seed}`);
fc.configureGlobal({ seed, numRuns: 100 });

const background: Background = {
  rows: 2,
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [3], contents: fromNumbers('FP32', [1, 2, 3, 4, 5, 6]) },
    { name: 'b', datatype: 'BYTES', shape: [], contents: encodeStrings(['x', '']) },
  ],
  weights: undefined,
};
const digest = (parts: readonly Uint8Array[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

test('a hash is the same for the same background alone', () => {
  const [a, b] = background.inputs;
  const others: readonly Background[] = [
    { ...background, weights: Float64Array.of(0.5, 0.5) },
    { ...background, rows: 1 },
    { ...background, inputs: [a!, { ...b!, contents: encodeStrings(['', 'x']) }] },
    { ...background, inputs: [{ ...a!, shape: [3, 1] }, b!] },
    { ...background, inputs: [{ ...a!, datatype: 'INT32' }, b!] },
    { ...background, inputs: [b!, a!] },
  ];
  const hashes = [background, ...others].map((one) => hashBackground(one, digest));
  expect(new Set(hashes).size).toBe(hashes.length);
  expect(hashBackground({ ...background }, digest)).toBe(hashes[0]);
});

test('a background that does not hold what it says is refused', () => {
  expect(() => checkBackground(background)).not.toThrow();
  expect(() => checkBackground({ ...background, rows: 3 })).toThrow(
    "background input 'a': 3 rows of shape [3] are 9 elements, got 6",
  );
  expect(() => checkBackground({ ...background, weights: Float64Array.of(0.5, 0.6) })).toThrow(/add up to 1/u);
});

const data = fc.integer({ min: 1, max: 4 }).chain((features) =>
  fc.integer({ min: 1, max: 30 }).chain((count) =>
    fc.record({
      features: fc.constant(features),
      rows: fc
        .array(fc.double({ min: -100, max: 100, noNaN: true }), {
          minLength: count * features,
          maxLength: count * features,
        })
        .map((values) => Float64Array.from(values)),
      clusters: fc.integer({ min: 1, max: 8 }),
      seed: fc.nat(1000),
    }),
  ),
);

test('a summary has the mean of its rows, and the same for the same seed', () => {
  fc.assert(
    fc.property(data, (options) => {
      const { features, rows, clusters } = options;
      const { centres, weights } = summarize(options);
      expect(weights.length).toBeLessThanOrEqual(Math.min(clusters, rows.length / features));
      expectClose([weights.reduce((sum, weight) => sum + weight, 0)], [1]);
      expect([...weights]).toEqual([...weights].toSorted((a, b) => b - a));
      const meanOf = (values: Float64Array, weight: (row: number) => number) =>
        Array.from({ length: features }, (_, f) =>
          values.reduce(
            (sum, value, i) => sum + (i % features === f ? value * weight(Math.floor(i / features)) : 0),
            0,
          ),
        );
      const count = rows.length / features;
      expectClose(
        meanOf(centres, (c) => weights[c] as number),
        meanOf(rows, () => 1 / count),
      );
      expect(summarize(options)).toEqual({ centres, weights });
    }),
  );
});

test('clusters that lie apart are found with their weights', () => {
  const rows = Float64Array.from([0, 0.1, -0.1, 0, 50, 50.1, 100].flatMap((x) => [x, -x]));
  const { centres, weights } = summarize({ rows, features: 2, clusters: 3, seed: 7 });
  expect(furthest(centres, [0, 0, 50.05, -50.05, 100, -100])).toBeLessThan(1e-9);
  expectClose(weights, [4 / 7, 2 / 7, 1 / 7]);
  const pulled = summarize({ rows, features: 2, clusters: 1, seed: 7, weights: Float64Array.of(0, 0, 0, 0, 0, 0, 3) });
  expectClose(pulled.centres, [100, -100]);
});
