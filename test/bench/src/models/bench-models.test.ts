import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { projectRoot } from '../project-root';
import { type BenchModel, type BenchModelKey, benchModels } from './bench-models';

const keys = Object.keys(benchModels) as BenchModelKey[];

interface Output {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

/** In a process of its own: ONNX Runtime takes no typed arrays from a test's realm. */
const program = `
const { InferenceSession, Tensor } = require('onnxruntime-node');
const [file, inputs] = JSON.parse(process.argv[1]);
InferenceSession.create(file).then(async (session) => {
  const feeds = inputs.map(({ name, type, dims }) => {
    const shape = [2, ...dims.map((dim) => (dim < 0 ? 5 : dim))];
    const ones = new (type === 'FP32' ? Float32Array : Int32Array)(shape.reduce((a, b) => a * b, 1)).fill(1);
    return [name, new Tensor(type === 'FP32' ? 'float32' : 'int32', ones, shape)];
  });
  const results = await session.run(Object.fromEntries(feeds));
  const outputs = Object.entries(results).map(([name, { dims, data }]) => [name, { dims, data: Array.from(data) }]);
  console.log(JSON.stringify(Object.fromEntries(outputs)));
});
`;

/** Runs two rows of ones through a model. */
function run({ onnx, inputs }: BenchModel): Record<string, Output> {
  const folder = mkdtempSync(path.join(tmpdir(), 'shoal-bench-model-'));
  try {
    const file = path.join(folder, 'model.onnx');
    writeFileSync(file, onnx());
    const argv = ['-e', program, JSON.stringify([file, inputs])];
    const printed = execFileSync(process.execPath, argv, { cwd: projectRoot, encoding: 'utf8' });
    return JSON.parse(printed) as Record<string, Output>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.each(keys)('ONNX Runtime runs %s, and its outputs are those of its config', (key) => {
  const model: BenchModel = benchModels[key];
  const results = run(model);
  expect(Object.keys(results).toSorted()).toEqual(model.outputs.map(({ name }) => name).toSorted());
  for (const { name, dims } of model.outputs) {
    expect(results[name]?.dims).toEqual([2, ...dims.map((dim) => (dim < 0 ? 5 : dim))]);
    expect(results[name]?.data.every(Number.isFinite)).toBe(true);
  }
});

test('simple adds and subtracts', () => {
  const { OUTPUT0, OUTPUT1 } = run(benchModels.simple);
  expect([OUTPUT0?.data[0], OUTPUT1?.data[0]]).toEqual([2, 0]);
});

test.each(['mlp', 'conv'] as const)('what goes into %s comes out changed but not faded', (key) => {
  const [output] = Object.values(run(benchModels[key]));
  const values = output?.data ?? [];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  expect(deviation).toBeGreaterThan(0.01);
  expect(deviation).toBeLessThan(100);
});

test('weights are the same every time', () => {
  expect(benchModels.mlp.onnx().equals(benchModels.mlp.onnx())).toBe(true);
});
