import { type Branch, legacyNode, type Tree, treeModel } from '../testing/build-trees';
import { pathDependentTrees } from './path-dependent';
import { readTrees } from './read-trees';

const leaf = (value: number, cover: number): Tree => ({ weights: { 0: value }, cover });

test('a tree whose answers are known: path-dependent values and interactions', () => {
  const branch = (feature: number, threshold: number, cover: number, yes: Tree, no: Tree): Branch => ({
    feature,
    mode: 'leq',
    threshold,
    cover,
    yes,
    no,
  });
  const left = branch(1, 0, 50, branch(0, -0.5, 38, leaf(20, 15), leaf(50, 23)), leaf(100, 12));
  const root = branch(0, 0, 100, left, branch(2, 0, 50, leaf(10, 20), leaf(40, 30)));
  const explainer = pathDependentTrees(readTrees(treeModel(legacyNode({ trees: [root], features: 4, targets: 1 }), 4)));
  const close = (got: ArrayLike<number>, want: readonly number[]): void => {
    expect(got.length).toBe(want.length);
    for (const [at, value] of want.entries()) expect(got[at]).toBeCloseTo(value, 5);
  };
  const row = [-1, -0.5, 1, 0];
  const answer = explainer.explain(row, 'k-sii');
  close(explainer.explain(row).outputs[0]?.values ?? [], [-10.189474, -13.310526, 3, 0]);
  close(answer.outputs[0]?.values ?? [], [-1.3, -7.421053, 6, 0]);
  close(answer.interactions?.[0]?.subarray(0, 4) ?? [], [0, -11.778947, -6, 0]);
  close([answer.outputs[0]?.baseValue ?? 0, answer.outputs[0]?.outputValue ?? 0], [40.5, 20]);
});
