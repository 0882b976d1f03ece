import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataType } from '@shoal/tensor';
import type { ModelSignature, TensorSpec } from '../signature';
import { repositoryRoot } from './schema';

/** A recorded call: what was sent, base64, and what came back. */
export interface GoldenCase {
  readonly name: string;
  readonly rpc: string;
  readonly request?: string;
  readonly requests?: readonly string[];
  readonly status: string;
  readonly details: string;
  readonly response?: string | null;
  readonly responses?: readonly string[];
  readonly note?: string;
}

/** The cases of test/fixtures/triton-golden/<file>.json. */
export function goldenCases(file: string): readonly GoldenCase[] {
  const path = join(repositoryRoot, 'test/fixtures/triton-golden', `${file}.json`);
  return (JSON.parse(readFileSync(path, 'utf8')) as { cases: GoldenCase[] }).cases;
}

export function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

/** "INPUT0 INT32[16]" → a tensor specification. */
export function spec(text: string, overrides: Partial<TensorSpec> = {}): TensorSpec {
  const [name = '', type = ''] = text.split(' ');
  const [datatype, dimText = ''] = type.replace(']', '').split('[');
  const dims = dimText === '' ? [] : dimText.split(',').map(Number);
  return { name, datatype: datatype as DataType, dims, modelDims: dims, optional: false, ragged: false, ...overrides };
}

/** A signature in one line: inputs and outputs as `spec` reads them, or ready-made. */
export function signature(
  model: string,
  maxBatchSize: number,
  inputs: readonly (string | TensorSpec)[],
  outputs: readonly string[],
  overrides: Partial<ModelSignature> = {},
): ModelSignature {
  const specs = inputs.map((input) => (typeof input === 'string' ? spec(input) : input));
  return {
    model,
    version: '1',
    maxBatchSize,
    inputs: specs,
    outputs: outputs.map((output) => spec(output)),
    fixedShapes: specs.every((input) => !input.dims.includes(-1)),
    decoupled: false,
    ...overrides,
  };
}

const simple = (model: string, datatype: string): ModelSignature =>
  signature(
    model,
    8,
    [`INPUT0 ${datatype}[16]`, `INPUT1 ${datatype}[16]`],
    [`OUTPUT0 ${datatype}[16]`, `OUTPUT1 ${datatype}[16]`],
  );

const identity = (model: string, datatype: string): ModelSignature =>
  signature(model, 8, [`INPUT0 ${datatype}[-1]`], [`OUTPUT0 ${datatype}[-1]`]);

const one = (model: string): ModelSignature => signature(model, 8, ['INPUT0 INT32[1]'], ['OUTPUT0 INT32[1]']);

const delayed = (model: string, maxBatchSize: number): ModelSignature =>
  signature(model, maxBatchSize, ['INPUT0 INT32[-1]', 'DELAY_MS INT32[1]'], ['OUTPUT0 INT32[-1]']);

/** The models that the recordings were made with, as their README lists them. */
export const goldenModels: ReadonlyMap<string, ModelSignature> = new Map(
  [
    simple('simple', 'INT32'),
    simple('ensemble_simple', 'INT32'),
    simple('simple_string', 'BYTES'),
    ...['bytes', 'bool', 'uint8', 'fp16', 'bf16', 'fp32'].map((type) =>
      identity(`identity_${type}`, type.toUpperCase()),
    ),
    signature('classify', 8, ['INPUT0 FP32[10]'], ['OUTPUT0 FP32[10]']),
    one('versions'),
    one('lc_one'),
    one('fail_negative'),
    delayed('slow', 0),
    delayed('queue_max', 8),
    delayed('queue_timeout', 8),
    signature('seq_oldest', 4, ['INPUT INT32[1]'], ['OUTPUT INT32[1]']),
    signature('repeat_int32', 0, ['IN INT32[-1]', 'DELAY UINT32[-1]', 'WAIT UINT32[1]'], ['OUT INT32[1]'], {
      decoupled: true,
    }),
  ].map((model) => [model.model, model]),
);
