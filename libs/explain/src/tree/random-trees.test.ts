import {
  exact,
  GameTable,
  interventionalTrees,
  pathDependentTrees,
  readTrees,
  type ShapleyResult,
  type TreeModel,
} from '@shoal/explain';
import * as fc from 'fast-check';

import { drive, furthest } from '../../test/drive';
import { ensembleNode, type EnsembleText, legacyNode, type Tree, treeModel } from '../testing/build-trees';
import { ensembles, goesYes, rowsOf } from '../testing/random-trees';

const seed = Number(process.env['TEST_SEED'] ?? Math.trunc(process.hrtime()[1] % 1e6));
console.info(`random trees: TEST_SEED=${seed}`);
fc.configureGlobal({ seed });

type Row = readonly number[];

/** The leaves that a row reaches and how much of it, when the players in `set` are present; others take both ways by cover. */
function shares(tree: Tree, row: Row, present: (feature: number) => boolean, share = 1): [Tree, number][] {
  if (!('feature' in tree)) return [[tree, share]];
  if (present(tree.feature))
    return shares(goesYes(tree, row[tree.feature] as number) ? tree.yes : tree.no, row, present, share);
  return [tree.yes, tree.no].flatMap((child) =>
    shares(child, row, present, (share * (child.cover ?? 0)) / (tree.cover ?? 1)),
  );
}

function score(text: EnsembleText, row: Row, present: (feature: number) => boolean): number[] {
  const sums = Array.from({ length: text.targets }, () => 0);
  for (const tree of text.trees)
    for (const [leaf, share] of shares(tree, row, present))
      if (!('feature' in leaf))
        for (const [target, weight] of Object.entries(leaf.weights))
          sums[Number(target)] = (sums[Number(target)] ?? 0) + share * weight;
  return sums;
}

/** All coalitions of a game through the package's exact method, which its own tests check against the definition. */
function byCoalitions(
  players: number,
  outputs: number,
  game: (set: number) => readonly number[],
  index: 'sii' | 'k-sii',
) {
  const table = new GameTable(
    players,
    outputs,
    Float64Array.from(Array.from({ length: 2 ** players }, (_, set) => game(set)).flat()),
  );
  return drive(exact({ players, index }), (batch) => table.evaluate(batch));
}

/** The largest difference between two answers. */
function difference(got: ShapleyResult, want: ShapleyResult): number {
  const plain = ({ outputs, interactions = [] }: ShapleyResult): number[] => [
    ...outputs.flatMap((one) => [...one.values, one.baseValue, one.outputValue, one.additivityGap]),
    ...interactions.flatMap((matrix) => [...matrix]),
  ];
  return furthest(plain(got), plain(want));
}

const always = (): boolean => true;
const modes = ['leq', 'lt', 'gte', 'gt', 'eq', 'neq'] as const;
const index = fc.constantFrom('sii' as const, 'k-sii' as const);
const several = fc
  .integer({ min: 1, max: 10 })
  .chain((features) =>
    fc.tuple(
      ensembles({ features, targets: 3, several: true, modes, depth: 5 }),
      rowsOf(features, 2, 5),
      fc.array(fc.constantFrom(0, 0.5, 1, 2), { minLength: 5, maxLength: 5 }),
      index,
    ),
  );

test('interventional values and interactions are those of the game, over all coalitions', () => {
  fc.assert(
    fc.property(several, ([text, [row = [], ...background], chosen, which]) => {
      const weights = background.map((_, at) => chosen[at] ?? 1);
      weights[0] = 1;
      const total = weights.reduce<number>((sum, weight) => sum + weight, 0);
      const model = readTrees(treeModel(legacyNode(text), text.features));
      const game = (set: number): number[] => {
        const sums = Array.from({ length: text.targets }, () => 0);
        for (const [at, other] of background.entries()) {
          const mixed = other.map((value, f) => ((set >> f) & 1 ? (row[f] as number) : value));
          for (const [o, value] of score(text, mixed, always).entries())
            sums[o] = (sums[o] as number) + (value * (weights[at] as number)) / total;
        }
        return sums;
      };
      const explainer = interventionalTrees(model, background.flat(), { weights });
      expect(
        difference(explainer.explain(row, which), byCoalitions(text.features, text.targets, game, which)),
      ).toBeLessThan(1e-9);
      // The plain answer, asked of the same explainer, is the same as with interactions of the plain kind.
      expect(explainer.explain(row).outputs).toEqual(explainer.explain(row, 'sii').outputs);
    }),
    { numRuns: 50 },
  );
});

test('path-dependent values and interactions are those of the game, over all coalitions', () => {
  fc.assert(
    fc.property(several, ([text, [row = []], , which]) => {
      const model = readTrees(treeModel(legacyNode(text), text.features));
      const game = (set: number): number[] => score(text, row, (feature) => ((set >> feature) & 1) === 1);
      expect(
        difference(
          pathDependentTrees(model).explain(row, which),
          byCoalitions(text.features, text.targets, game, which),
        ),
      ).toBeLessThan(1e-9);
    }),
    { numRuns: 50 },
  );
});

test('features of one player come and go together', () => {
  const groups = ensembles({ features: 6, targets: 2, modes: ['leq', 'gt'], depth: 4 });
  const playerOf = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(groups, rowsOf(6, 3, 3), playerOf, (text, [row = [], ...background], of) => {
      const players = Math.max(...of) + 1;
      const model = readTrees(treeModel(ensembleNode(text), 6));
      const game = (set: number): number[] => {
        const sums = [0, 0];
        for (const other of background) {
          const mixed = other.map((value, f) => ((set >> (of[f] as number)) & 1 ? (row[f] as number) : value));
          for (const [o, value] of score(text, mixed, always).entries())
            sums[o] = (sums[o] as number) + value / background.length;
        }
        return sums;
      };
      const explainer = interventionalTrees(model, background.flat(), { playerOf: of });
      expect(explainer.players).toBe(players);
      expect(difference(explainer.explain(row, 'sii'), byCoalitions(players, 2, game, 'sii'))).toBeLessThan(1e-9);
    }),
    { numRuns: 40 },
  );
});

/** A tree that asks for one feature after the other, more than fit into a word of bits. */
function chain(features: number): EnsembleText {
  let tree: Tree = { weights: { 0: 1 } };
  for (let feature = features - 1; feature >= 0; feature -= 1)
    tree = { feature, mode: 'leq', threshold: 0, yes: tree, no: { weights: { 0: 0 } } };
  return { trees: [tree], features, targets: 1 };
}

test.each([31, 32, 33, 64, 70])('a conjunction of %i features: every one gets its part', (features) => {
  const model: TreeModel = readTrees(treeModel(legacyNode(chain(features)), features));
  const explainer = interventionalTrees(
    model,
    Array.from({ length: features }, () => 1),
  );
  const { outputs, interactions } = explainer.explain(
    Array.from({ length: features }, () => -1),
    'sii',
  );
  expect(
    furthest(
      outputs[0]?.values ?? [],
      Array.from({ length: features }, () => 1 / features),
    ),
  ).toBeLessThan(1e-12);
  // Each pair of n players in a game that only all together win: 1/(n − 1).
  const pairs = Array.from({ length: features ** 2 }, (_, at) => (at % (features + 1) === 0 ? 0 : 1 / (features - 1)));
  expect(furthest(interactions?.[0] ?? [], pairs)).toBeLessThan(1e-12);
  // And the other way round: what the background lets through and the row does not.
  const against = interventionalTrees(
    model,
    Array.from({ length: features }, () => -1),
  );
  const others = against.explain(Array.from({ length: features }, () => 1)).outputs[0];
  expect(
    furthest(
      others?.values ?? [],
      Array.from({ length: features }, () => -1 / features),
    ),
  ).toBeLessThan(1e-12);
});
