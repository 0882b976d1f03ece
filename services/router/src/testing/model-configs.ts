import type { MethodDefinition } from '@grpc/grpc-js';
import type { ModelConfig } from '@shoal/protocol';
import { loadService } from '@shoal/rpc';

const service = loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService');
const method = service['ModelConfig'] as MethodDefinition<unknown, { config: ModelConfig }>;

/** A config with every default filled in, as the wire would give it. */
export function fullConfig(config: object): ModelConfig {
  const bytes = method.responseSerialize({ config } as { config: ModelConfig });
  return method.responseDeserialize(bytes).config;
}

/** "INPUT0 INT32[16]" → a tensor of a config. */
function tensor(text: string): object {
  const [name = '', type = ''] = text.split(' ');
  const [datatype = '', dims = ''] = type.replace(']', '').split('[');
  return {
    name,
    data_type: `TYPE_${datatype === 'BYTES' ? 'STRING' : datatype}`,
    dims: dims === '' ? [] : dims.split(',').map(Number),
  };
}

/** A model's config in one line. */
export function modelConfig(
  name: string,
  maxBatchSize: number,
  inputs: readonly string[],
  outputs: readonly string[],
  more: object = {},
): ModelConfig {
  return fullConfig({
    name,
    backend: 'python',
    max_batch_size: maxBatchSize,
    input: inputs.map(tensor),
    output: outputs.map(tensor),
    ...more,
  });
}

const addSub = ['INPUT0 INT32[16]', 'INPUT1 INT32[16]'];
const sumDifference = ['OUTPUT0 INT32[16]', 'OUTPUT1 INT32[16]'];
const slow = ['INPUT0 INT32[-1]', 'DELAY_MS INT32[1]'];
const result = ['OUTPUT0 INT32[-1]'];

interface ServedModel {
  readonly config: ModelConfig;
  readonly versions: readonly number[];
}

/** Triton's add-and-subtract example. */
export const simpleModel: ServedModel = { config: modelConfig('simple', 8, addSub, sumDifference), versions: [1] };

/** The models that the golden answers were recorded with, as far as a router needs them. */
export const goldenModels: readonly ServedModel[] = [
  simpleModel,
  {
    config: modelConfig(
      'simple_string',
      8,
      ['INPUT0 BYTES[16]', 'INPUT1 BYTES[16]'],
      ['OUTPUT0 BYTES[16]', 'OUTPUT1 BYTES[16]'],
    ),
    versions: [1],
  },
  { config: modelConfig('identity_fp16', 8, ['INPUT0 FP16[-1]'], ['OUTPUT0 FP16[-1]']), versions: [1] },
  { config: modelConfig('identity_bf16', 8, ['INPUT0 BF16[-1]'], ['OUTPUT0 BF16[-1]']), versions: [1] },
  { config: modelConfig('versions', 8, ['INPUT0 INT32[1]'], ['OUTPUT0 INT32[1]']), versions: [1, 3] },
  { config: modelConfig('lc_one', 8, ['INPUT0 INT32[1]'], ['OUTPUT0 INT32[1]']), versions: [2] },
  { config: modelConfig('fail_negative', 8, ['INPUT0 INT32[1]'], ['OUTPUT0 INT32[1]']), versions: [1] },
  { config: modelConfig('slow', 0, slow, result), versions: [1] },
  { config: modelConfig('queue_max', 8, slow, result), versions: [1] },
  { config: modelConfig('queue_timeout', 8, slow, result), versions: [1] },
  { config: modelConfig('densenet_onnx', 0, ['data_0 FP32[3,224,224]'], ['fc6_1 FP32[1000]']), versions: [1] },
  {
    config: modelConfig('repeat_int32', 0, ['IN INT32[-1]', 'DELAY UINT32[-1]', 'WAIT UINT32[1]'], ['OUT INT32[1]'], {
      model_transaction_policy: { decoupled: true },
    }),
    versions: [1],
  },
];
