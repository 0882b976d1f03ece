import {
  type ExactIndex,
  exact,
  GameTable,
  kernelShap,
  owen,
  partition,
  type FeatureTree,
  sampledInteractions,
} from '@shoal/explain';
import * as fc from 'fast-check';
import { banzhafByDefinition, pairsByDefinition, shapleyByOrders } from '../../test/brute-force';
import { drive, expectClose, furthest, valuesOf } from '../../test/drive';

const seed = Number(process.env['TEST_SEED'] ?? Math.trunc(process.hrtime()[1] % 1e6));
console.info(`random games: TEST_SEED=${seed}`);
fc.configureGlobal({ seed, numRuns: 40 });

const value = fc.double({ min: -100, max: 100, noNaN: true });
/** A game of two outputs with any values. */
const games = fc.integer({ min: 1, max: 5 }).chain((n) =>
  fc.record({
    n: fc.constant(n),
    outputs: fc.tuple(
      fc.array(value, { minLength: 2 ** n, maxLength: 2 ** n }),
      fc.array(value, { minLength: 2 ** n, maxLength: 2 ** n }),
    ),
  }),
);

function tableOf(n: number, outputs: readonly (readonly number[])[]): GameTable {
  const rows = Array.from({ length: 2 ** n }, (_, set) => outputs.map((v) => v[set] as number));
  return new GameTable(n, outputs.length, Float64Array.from(rows.flat()));
}

function exactly(n: number, outputs: readonly (readonly number[])[], index: ExactIndex) {
  const table = tableOf(n, outputs);
  return drive(exact({ players: n, index }), (batch) => table.evaluate(batch));
}

test('exact values are those of the definitions, for each of several outputs', () => {
  fc.assert(
    fc.property(games, ({ n, outputs }) => {
      const [shapley, banzhaf] = [exactly(n, outputs, 'shapley'), exactly(n, outputs, 'banzhaf')];
      for (const [o, v] of outputs.entries()) {
        expectClose(valuesOf(shapley, o), shapleyByOrders(n, v));
        expectClose(valuesOf(banzhaf, o), banzhafByDefinition(n, v));
        expect(Math.abs(shapley.outputs[o]?.additivityGap ?? NaN)).toBeLessThan(1e-9);
      }
    }),
  );
});

test('interactions are those of the definitions, and values with them add up as their index says', () => {
  fc.assert(
    fc.property(games, ({ n, outputs }) => {
      const results = (['sii', 'k-sii', 'stii'] as const).map((index) => exactly(n, outputs, index));
      for (const [o, v] of outputs.entries()) {
        const [sii, kSii, stii] = results.map((result) => [...(result.interactions?.[o] ?? [])]);
        const want = pairsByDefinition(n, v, false);
        expectClose(sii ?? [], want);
        expectClose(kSii ?? [], want);
        expectClose(stii ?? [], pairsByDefinition(n, v, true));
        const singles = shapleyByOrders(n, v);
        expectClose(valuesOf(results[0] as never, o), singles);
        expectClose(
          valuesOf(results[1] as never, o),
          singles.map((phi, i) => phi - want.slice(i * n, i * n + n).reduce((sum, x) => sum + x, 0) / 2),
        );
        expectClose(
          valuesOf(results[2] as never, o),
          singles.map((_, i) => (v[1 << i] as number) - (v[0] as number)),
        );
        for (const result of results) expect(Math.abs(result.outputs[o]?.additivityGap ?? NaN)).toBeLessThan(1e-9);
      }
    }),
  );
});

test('KernelSHAP with a budget of all coalitions is exact, says so, and asks for each once', () => {
  fc.assert(
    fc.property(games, ({ n, outputs }) => {
      const table = tableOf(n, outputs);
      const seen = new Set<string>();
      const result = drive(kernelShap({ players: n, budget: 2 ** n, seed: 5 }), (batch) => {
        for (let row = 0; row < batch.count; row++) seen.add(batch.masks.subarray(row * n, row * n + n).join(''));
        return table.evaluate(batch);
      });
      expect([result.exact, result.stopReason, result.evaluations, seen.size]).toEqual([true, 'exact', 2 ** n, 2 ** n]);
      for (const [o, v] of outputs.entries()) expectClose(valuesOf(result, o), shapleyByOrders(n, v));
    }),
  );
});

test('Owen values are the mean over the orders that keep groups together', () => {
  const groupings = [
    [[0], [1, 2], [3, 4]],
    [
      [4, 0, 2],
      [1, 3],
    ],
    [[0, 1, 2, 3, 4]],
    [[3], [0], [1], [2], [4]],
  ];
  fc.assert(
    fc.property(fc.array(value, { minLength: 32, maxLength: 32 }), fc.constantFrom(...groupings), (v, groups) => {
      const table = tableOf(5, [v]);
      const result = drive(owen({ players: 5, groups }), (batch) => table.evaluate(batch));
      expect(furthest(valuesOf(result), shapleyByOrders(5, v, groups))).toBeLessThan(1e-9);
    }),
  );
});

test('a tree divided to the end is Owen on each level; cut short it still adds up', () => {
  const tree: FeatureTree = [
    [2, 0],
    [3, 1],
  ];
  fc.assert(
    fc.property(fc.array(value, { minLength: 16, maxLength: 16 }), fc.integer({ min: 2, max: 7 }), (v, budget) => {
      const table = tableOf(4, [v]);
      const whole = drive(partition({ players: 4, tree, budget: 12 }), (batch) => table.evaluate(batch));
      expectClose(
        valuesOf(whole),
        shapleyByOrders(4, v, [
          [2, 0],
          [3, 1],
        ]),
      );
      const cut = drive(partition({ players: 4, tree, budget }), (batch) => table.evaluate(batch));
      expect(cut.evaluations).toBeLessThanOrEqual(budget);
      expect(cut.exact).toBe(false);
      expect(Math.abs(cut.outputs[0]?.additivityGap ?? NaN)).toBeLessThan(1e-9);
    }),
  );
});

test('symmetry, dummy and linearity', () => {
  fc.assert(
    fc.property(games, value, ({ n, outputs: [v, w] }, factor) => {
      const mixed = v.map((x, set) => x + factor * (w[set] as number));
      const [a, b] = [exactly(n, [v], 'shapley'), exactly(n, [w], 'shapley')];
      expectClose(
        valuesOf(exactly(n, [mixed], 'shapley')),
        valuesOf(a).map((x, i) => x + factor * (valuesOf(b)[i] as number)),
        1e-8,
      );
      // One more player who adds 2.5 wherever he joins, and one who is worth the same as player 0.
      const dummied = [...v, ...v.map((x) => x + 2.5)];
      expectClose(valuesOf(exactly(n + 1, [dummied], 'shapley')), [...valuesOf(a), 2.5]);
      const swapped = Array.from({ length: 2 ** (n + 1) }, (_, set) => {
        const either = (set & 1) + ((set >>> n) & 1);
        return (v[set & (2 ** n - 2)] as number) + either * either * (v[2 ** n - 1] as number);
      });
      const values = valuesOf(exactly(n + 1, [swapped], 'shapley'));
      expect(Math.abs((values[0] as number) - (values[n] as number))).toBeLessThan(1e-9);
    }),
  );
});

test('sampled interactions of two players are exact', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 4, maxLength: 4 }), (v) => {
      const table = tableOf(2, [v]);
      const result = drive(sampledInteractions({ players: 2, budget: 4, seed: 1, index: 'sii' }), (b) =>
        table.evaluate(b),
      );
      expect(result.exact).toBe(true);
      expectClose(valuesOf(result), shapleyByOrders(2, v));
      expectClose(result.interactions?.[0] ?? [], pairsByDefinition(2, v, false));
    }),
  );
});
