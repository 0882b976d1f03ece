import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import references from '../fixtures/trees.json';
import { readOnnx } from '../onnx/read-onnx';
import { makeAttribute, writeOnnx } from '../onnx/write-onnx';
import { floats, runOnce } from '../testing/run-model';
import { interventionalTrees } from './interventional';
import { pathDependentObstacle, pathDependentTrees } from './path-dependent';
import { readTrees, type TreeModel } from './read-trees';
import { evaluateTrees } from './tree-explainer';

const read = (name: string): Uint8Array =>
  readFileSync(join(__dirname, '../../../../test/fixtures/models', name, '1/model.onnx'));

interface Reference {
  readonly background: readonly (readonly number[])[];
  readonly inputs: readonly (readonly number[])[];
  readonly raw: readonly (readonly number[])[];
  readonly interventional: Explanations;
  readonly pathDependent: Explanations;
  readonly covers?: readonly number[];
}

/** Values are [row][feature][output]. */
interface Explanations {
  readonly base: readonly number[];
  readonly values: readonly (readonly (readonly number[])[])[];
}

const cases: readonly (readonly [string, Reference])[] = Object.entries(references);
const furthest = (got: ArrayLike<number>, want: ArrayLike<number>): number => {
  expect(got.length).toBe(want.length);
  return Math.max(...Array.from(got, (value, at) => Math.abs(value - (want[at] as number))));
};

/** The same model, giving out its sums. */
function untransformed(file: Uint8Array): Uint8Array {
  const model = readOnnx(file);
  const nodes = model.graph.nodes.map((node) =>
    node.attributes.has('post_transform')
      ? {
          ...node,
          attributes: new Map(node.attributes).set('post_transform', makeAttribute('post_transform', 'NONE')),
          raw: undefined,
        }
      : node,
  );
  return writeOnnx({ ...model, graph: { ...model.graph, nodes } });
}

test.each(cases)('%s: its sums are those of ONNX Runtime', async (name, { background, inputs }) => {
  const file = read(name);
  const model = readTrees(file);
  const rows = [...inputs, ...background].flat();
  // Some values go missing: every seventh.
  rows.push(...rows.map((value, at) => (at % 7 === 0 ? Number.NaN : value)));
  const count = rows.length / model.forest.features;
  const answer = (
    await runOnce(untransformed(file), { [model.inputs[0]?.name ?? '']: floats([count, model.forest.features], rows) })
  )[model.output];
  const width = (answer?.data.length ?? 0) / count;
  const got = evaluateTrees(model, rows);
  const want = Array.from(got, (_, at) => {
    const row = Math.floor(at / model.columns.length);
    return Number(answer?.data[row * width + (model.columns[at % model.columns.length] as number)]);
  });
  const largest = Math.max(...want.map(Math.abs));
  // ONNX Runtime adds up in float32, here it is double.
  expect(furthest(got, want)).toBeLessThan(4e-7 * largest);
});

function check(
  model: TreeModel,
  reference: Explanations,
  inputs: Reference['inputs'],
  path: boolean,
  background: number[],
): number {
  const explainer = path ? pathDependentTrees(model) : interventionalTrees(model, background);
  let worst = 0;
  for (const [row, input] of inputs.entries()) {
    const { outputs } = explainer.explain(input);
    for (const [o, output] of outputs.entries()) {
      const want = reference.values[row]?.map((of) => of[o] as number) ?? [];
      const size = Math.max(...want.map(Math.abs), Math.abs(output.baseValue));
      worst = Math.max(worst, furthest(output.values, want) / size);
      worst = Math.max(worst, Math.abs(output.baseValue - (reference.base[o] as number)) / size);
      expect(Math.abs(output.additivityGap)).toBeLessThan(1e-12 * size);
    }
  }
  return worst;
}

test.each(cases.filter(([name]) => name !== 'diabetes_gbr'))(
  '%s: interventional values are shap’s',
  (name, reference) => {
    const model = readTrees(read(name));
    // shap adds the weights of the library's own model, some of which are float32 as in the ONNX file.
    expect(check(model, reference.interventional, reference.inputs, false, reference.background.flat())).toBeLessThan(
      1e-6,
    );
  },
);

test.each(cases.filter(([, one]) => one.covers !== undefined))(
  '%s: path-dependent values are shap’s',
  (name, reference) => {
    const model = readTrees(read(name));
    const forest = { ...model.forest, cover: Float64Array.from(reference.covers ?? []) };
    expect(check({ ...model, forest }, reference.pathDependent, reference.inputs, true, [])).toBeLessThan(1e-6);
  },
);

test('diabetes_gbr: values are those of the ONNX file, whose thresholds are rounded, not of scikit-learn’s doubles', () => {
  const model = readTrees(read('diabetes_gbr'));
  const { background, inputs, interventional } = references.diabetes_gbr;
  const features = 10;
  const explainer = interventionalTrees(model, background.flat());
  for (const [at, row] of inputs.entries()) {
    const got = explainer.explain(row).outputs[0]?.values ?? [];
    const games = Float64Array.from({ length: 2 ** features }, (_, set) => {
      const mixed = background.flatMap((other) =>
        other.map((value, f) => ((set >> f) & 1 ? (row[f] as number) : value)),
      );
      return evaluateTrees(model, mixed).reduce((sum, value) => sum + value / background.length, 0);
    });
    const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
    const want = Array.from(row, (_, f) => {
      let sum = 0;
      for (let set = 0; set < games.length; set += 1) {
        if ((set >> f) & 1) continue;
        const size = set.toString(2).replaceAll('0', '').length;
        const chance = (factorial(size) * factorial(features - size - 1)) / factorial(features);
        sum += chance * ((games[set | (1 << f)] as number) - (games[set] as number));
      }
      return sum;
    });
    expect(furthest(got, want)).toBeLessThan(1e-10);
    // A few rows meet thresholds exactly where the file rounded them: values move by less than a thousandth of the score.
    const native = interventional.values[at]?.map((of) => of[0] as number) ?? [];
    expect(furthest(got, native)).toBeLessThan(0.1);
  }
});

test.each(['diabetes_gbr', 'diabetes_xgb'])('%s: its file does not tell how many rows reached each node', (name) => {
  const model = readTrees(read(name));
  expect(pathDependentObstacle(model)).toMatch(/nodes_hitrates/);
  expect(() => pathDependentTrees(model)).toThrow(/use interventional TreeSHAP with a background/);
});

test('what is explained is said', () => {
  expect(readTrees(read('wine_lgbm'))).toMatchObject({
    columns: [0, 1, 2],
    labels: ['0', '1', '2'],
    output: 'probabilities',
    explained: "the trees' summed score, before SOFTMAX",
  });
  expect(readTrees(read('breast_cancer_xgb'))).toMatchObject({
    columns: [1],
    explained: 'the trees\' summed score of class "1", before LOGISTIC',
  });
});
