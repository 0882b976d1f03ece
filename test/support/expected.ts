import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ModelConfig__Output as ModelConfig } from '../../libs/protocol/src/generated/inference/ModelConfig';
import { fixtures } from './paths';
import type { ModelInferRequest, ModelInferResponse } from './stock-client';

/** A tensor of `expected.json`. */
export interface ExpectedTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Base64 of the wire bytes. */
  readonly raw: string;
}

export interface ExpectedCase {
  readonly name: string;
  readonly inputs: readonly ExpectedTensor[];
  readonly outputs: readonly ExpectedTensor[];
}

export interface Expected {
  readonly tolerance: { readonly atol: number; readonly rtol: number };
  readonly cases: readonly ExpectedCase[];
}

/** The reference answers of a model of test/fixtures/models. */
export function expectedOf(model: string): Expected {
  return JSON.parse(readFileSync(path.join(fixtures, 'models', model, 'expected.json'), 'utf8')) as Expected;
}

/** One case by its name. */
export function caseOf(model: string, name: string): ExpectedCase {
  const found = expectedOf(model).cases.find((one) => one.name === name);
  if (!found) throw new Error(`model ${model} has no case ${name}`);
  return found;
}

/** The request that a case describes, with its inputs in raw form. */
export function requestOf(model: string, { name, inputs }: ExpectedCase): ModelInferRequest {
  return {
    model_name: model,
    id: name,
    inputs: inputs.map((tensor) => ({ name: tensor.name, datatype: tensor.datatype, shape: [...tensor.shape] })),
    raw_input_contents: inputs.map(({ raw }) => Buffer.from(raw, 'base64')),
  };
}

/** What is wrong with an answer, or undefined when it equals the reference within the tolerance. */
export function mismatch(
  response: ModelInferResponse,
  { outputs }: ExpectedCase,
  { atol, rtol }: Expected['tolerance'],
  config?: Pick<ModelConfig, 'max_batch_size' | 'output'>,
): string | undefined {
  if (response.outputs.length !== outputs.length) return `${response.outputs.length} outputs, not ${outputs.length}`;
  for (const want of outputs) {
    const index = response.outputs.findIndex(({ name }) => name === want.name);
    const got = response.outputs[index];
    const bytes = response.raw_output_contents[index];
    if (!got || !bytes) return `no output ${want.name}`;
    if (got.datatype !== want.datatype) return `${want.name} is ${got.datatype}, not ${want.datatype}`;
    const shape = wireShape(want, config);
    if (got.shape.join() !== shape.join())
      return `${want.name} has the shape [${got.shape.join()}], not [${shape.join()}]`;
    const wanted = Buffer.from(want.raw, 'base64');
    if (bytes.equals(wanted)) continue;
    const difference = farthest(want.datatype, bytes, wanted, atol, rtol);
    if (difference !== undefined) return `${want.name}: ${difference}`;
  }
  return undefined;
}

/** Reference shapes are the ONNX model's own; a `reshape` in the config makes the wire's differ. */
function wireShape(
  { name, shape }: ExpectedTensor,
  config: Pick<ModelConfig, 'max_batch_size' | 'output'> | undefined,
) {
  const output = config?.output.find((one) => one.name === name);
  if (!config || !output?.reshape) return shape;
  return [...(config.max_batch_size > 0 ? shape.slice(0, 1) : []), ...output.dims];
}

function farthest(datatype: string, got: Buffer, want: Buffer, atol: number, rtol: number): string | undefined {
  if (got.length !== want.length) return `${got.length} bytes, not ${want.length}`;
  if (datatype !== 'FP32' && datatype !== 'FP64') return 'other bytes';
  const size = datatype === 'FP32' ? 4 : 8;
  for (let at = 0; at < want.length; at += size) {
    const wanted = size === 4 ? want.readFloatLE(at) : want.readDoubleLE(at);
    const there = size === 4 ? got.readFloatLE(at) : got.readDoubleLE(at);
    const close = Object.is(there, wanted) || Math.abs(there - wanted) <= atol + rtol * Math.abs(wanted);
    if (!close) return `element ${at / size} is ${there}, not ${wanted}`;
  }
  return undefined;
}
