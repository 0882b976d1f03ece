import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fixtures } from './paths';
import { type Tensor, float32 } from './tensors';

/** Tensors as rows of a request of shoal.explain.v1. */
export function rowsOf(...tensors: readonly Tensor[]) {
  return {
    inputs: tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape: [...shape] })),
    raw_input_contents: tensors.map(({ bytes }) => bytes),
  };
}

/** A reference explanation of test/fixtures/explain. */
export function explainFixture<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(fixtures, 'explain', `${name}.json`), 'utf8')) as T;
}

export interface DiabetesFixture {
  readonly background: number[][];
  readonly tolerance: number;
  readonly cases: readonly {
    readonly input: number[];
    readonly base: number;
    readonly output: number;
    readonly shapley: number[][];
  }[];
}

const diabetes = explainFixture<DiabetesFixture>('diabetes-mlp');

/** A request about the first row of `diabetes_mlp`'s fixture, against 20 others: 10 features. */
export function diabetesRequest(more: object = {}) {
  const input = diabetes.cases[0]?.input ?? [];
  return {
    model_name: 'diabetes_mlp',
    ...rowsOf(float32('input', [1, 10], input)),
    baseline: { rows: rowsOf(float32('input', [diabetes.background.length, 10], diabetes.background.flat())) },
    ...more,
  };
}
