import * as fc from 'fast-check';

import type { Branch, EnsembleText, Leaf, Tree } from './build-trees';

/** Few values, so that rows meet thresholds exactly and features come again on a path. */
export const featureValue: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(-1.5, -1, -0.25, 0, 0.1, 1, 2),
  fc.constant(Number.NaN),
);

const threshold = fc.constantFrom(-1, -0.25, 0, 0.1, 1);
const weight = fc.integer({ min: -64, max: 64 }).map((value) => value / 8);

export interface RandomTrees {
  readonly features: number;
  readonly targets: number;
  /** Several weights on a leaf; only older operators can. */
  readonly several?: boolean;
  readonly modes: readonly Branch['mode'][];
  readonly depth?: number;
}

/** A leaf, or a branch with children; covers add up, as they do where rows were counted. */
function tree(options: RandomTrees, depth: number): fc.Arbitrary<Tree> {
  const target = fc.integer({ min: 0, max: options.targets - 1 });
  const weights =
    options.several === true
      ? fc.dictionary(target.map(String), weight, { maxKeys: options.targets, minKeys: 1 })
      : fc.tuple(target, weight).map(([to, value]) => ({ [to]: value }));
  const leaf: fc.Arbitrary<Leaf> = fc.record({ weights, cover: fc.integer({ min: 1, max: 20 }) });
  if (depth === 0) return leaf;
  const child = tree(options, depth - 1);
  const branch: fc.Arbitrary<Branch> = fc
    .record({
      feature: fc.integer({ min: 0, max: options.features - 1 }),
      mode: fc.constantFrom(...options.modes),
      threshold,
      // ONNX Runtime's sets hold whole numbers.
      members: fc.uniqueArray(fc.integer({ min: -1, max: 3 }), { minLength: 1, maxLength: 3 }),
      missing: fc.boolean(),
      yes: child,
      no: child,
    })
    .map((one) => ({ ...one, cover: (one.yes.cover ?? 0) + (one.no.cover ?? 0) }));
  return fc.oneof({ weight: 1, arbitrary: leaf }, { weight: 5, arbitrary: branch });
}

/** Up to five trees; the first one is a branch, as runtimes want at least one. */
export function ensembles(options: RandomTrees): fc.Arbitrary<EnsembleText> {
  const one = tree(options, options.depth ?? 4);
  return fc
    .array(one, { minLength: 1, maxLength: 5 })
    .filter((trees) => trees.every((root) => 'feature' in root))
    .map((trees) => ({ trees, features: options.features, targets: options.targets }));
}

export const rowsOf = (features: number, least: number, most: number): fc.Arbitrary<number[][]> =>
  fc.array(fc.array(featureValue, { minLength: features, maxLength: features }), { minLength: least, maxLength: most });

/** Where a row goes, by the operator's definition; written apart from what is tested. */
export function goesYes(branch: Branch, value: number): boolean {
  if (Number.isNaN(value) && branch.missing === true) return true;
  const limit = Math.fround(branch.threshold);
  const seen = Math.fround(value);
  const answers = {
    leq: seen <= limit,
    lt: seen < limit,
    gte: seen >= limit,
    gt: seen > limit,
    eq: seen === limit,
    neq: seen !== limit,
    member: (branch.members ?? []).some((one) => Math.fround(one) === seen),
  };
  return answers[branch.mode];
}
