import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../project-root';
import { convGraph, identityGraph, mlpGraph, simpleGraph } from './graphs';
import { writeModel } from './onnx';

/** A tensor of the model, without the batch dimension. */
interface Tensor {
  readonly name: string;
  readonly type: 'FP32' | 'INT32';
  readonly dims: readonly number[];
}

/** A model that is measured. */
export interface BenchModel {
  readonly name: string;
  /** The serialised ONNX model. */
  readonly onnx: () => Buffer;
  readonly maxBatchSize: number;
  /** Requests of different clients are batched together. */
  readonly batches: boolean;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Further parameters of its config. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** The models by name; names and tensors are those that other servers must serve to be compared. */
export const benchModels = {
  simple: {
    name: 'simple',
    onnx: () => writeModel(simpleGraph()),
    maxBatchSize: 8,
    batches: false,
    inputs: [tensor('INPUT0', 'INT32', [16]), tensor('INPUT1', 'INT32', [16])],
    outputs: [tensor('OUTPUT0', 'INT32', [16]), tensor('OUTPUT1', 'INT32', [16])],
  },
  identity: {
    name: 'identity_fp32',
    onnx: () => writeModel(identityGraph()),
    maxBatchSize: 8,
    batches: false,
    inputs: [tensor('INPUT0', 'FP32', [-1])],
    outputs: [tensor('OUTPUT0', 'FP32', [-1])],
  },
  mlp: {
    name: 'mlp',
    onnx: () => writeModel(mlpGraph()),
    maxBatchSize: 32,
    batches: true,
    inputs: [tensor('x', 'FP32', [512])],
    outputs: [tensor('y', 'FP32', [512])],
  },
  digits: {
    name: 'digits_cnn',
    onnx: () => readFileSync(path.join(projectRoot, 'test/fixtures/models/digits_cnn/1/model.onnx')),
    maxBatchSize: 32,
    batches: true,
    inputs: [tensor('image', 'FP32', [1, 8, 8])],
    outputs: [tensor('logits', 'FP32', [10]), tensor('probabilities', 'FP32', [10])],
  },
  conv: {
    name: 'conv',
    onnx: () => writeModel(convGraph()),
    maxBatchSize: 8,
    batches: true,
    inputs: [tensor('image', 'FP32', [3, 224, 224])],
    outputs: [tensor('scores', 'FP32', [1000])],
  },
} as const satisfies Record<string, BenchModel>;

export type BenchModelKey = keyof typeof benchModels;

function tensor(name: string, type: Tensor['type'], dims: readonly number[]): Tensor {
  return { name, type, dims };
}

/** Its config.pbtxt: one instance on the CPU with one thread, so that every server is given the same. */
export function configText(model: BenchModel, platform: string): string {
  const list = (kind: string, tensors: readonly Tensor[]) =>
    `${kind} [\n${tensors
      .map(({ name, type, dims }) => `  { name: "${name}" data_type: TYPE_${type} dims: [ ${dims.join(', ')} ] }`)
      .join(',\n')}\n]`;
  return [
    `name: "${model.name}"`,
    platform,
    `max_batch_size: ${model.maxBatchSize}`,
    list('input', model.inputs),
    list('output', model.outputs),
    'instance_group [ { count: 1 kind: KIND_CPU } ]',
    ...Object.entries({ intra_op_thread_count: '1', ...model.parameters }).map(
      ([key, value]) => `parameters { key: "${key}" value: { string_value: "${value}" } }`,
    ),
    ...(model.batches ? ['dynamic_batching { }'] : []),
    '',
  ].join('\n');
}
