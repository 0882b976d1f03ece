import { ShoalError } from '@shoal/core';
import { checkConfig } from './check-config';
import { parseModelConfig } from './parse-config';

function verdict(text: string): string {
  try {
    checkConfig(parseModelConfig(text, 'm/config.pbtxt'), 'm');
    return '';
  } catch (error) {
    if (!(error instanceof ShoalError)) throw error;
    return error.message;
  }
}

const batching = (text: string): string => `max_batch_size: 8 dynamic_batching { ${text} }`;
const priorities = 'priority_levels: 3 default_priority_level: 2';
const input = (text: string): string => `max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 ${text} }`;

describe('checkConfig', () => {
  test.each([
    '',
    'name: "m"',
    batching('preserve_ordering: true priority_levels: 1 default_priority_level: 1'),
    batching('preserve_ordering: true default_queue_policy { timeout_action: DELAY }'),
    batching(`${priorities} priority_queue_policy { key: 3 value { max_queue_size: 4 } }`),
    input('dims: [ -1, 2, 3 ] reshape { shape: [ -1, 6 ] }'),
    input('dims: [ 2, 4, -1, 6 ] reshape { shape: [ 8, -1, 1, 6 ] }'),
    input('dims: 1 reshape { shape: [ ] }'),
    input('format: FORMAT_NCHW dims: [ 3, 4, 5 ]'),
    'input { name: "x" }',
    'instance_group [ { count: 2 kind: KIND_CPU }, { kind: KIND_GPU gpus: [ 0, 1 ] } ]',
    'response_cache { enable: true }',
  ])('%s is fine', (text) => {
    expect(verdict(text)).toBe('');
  });

  test.each([
    ['name: "n"', "unexpected directory name 'm' for model 'n', directory name must equal model name"],
    ['max_batch_size: -1', "'max_batch_size' must be non-negative value for m"],
    [batching('priority_levels: 3'), 'default priority level must be in range [1, 3] for m'],
    [batching('priority_levels: 3 default_priority_level: 4'), 'default priority level must be in range [1, 3] for m'],
    [
      batching(`${priorities} priority_queue_policy { key: 4 value {} }`),
      'priority queue policy must have priority level in range [1, 3] for m',
    ],
    [
      batching(`${priorities} priority_queue_policy { value {} }`),
      'priority queue policy must have priority level in range [1, 3] for m',
    ],
    [
      batching(`${priorities} preserve_ordering: true`),
      "Only one priority level is allowed when 'preserve_ordering' is true for m",
    ],
    [
      batching(
        'preserve_ordering: true default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 1 }',
      ),
      "Queue policy can not have DELAY as timeout action when 'preserve_ordering' is true for m",
    ],
    [
      batching(
        'preserve_ordering: true priority_queue_policy { key: 1 value { timeout_action: DELAY default_timeout_microseconds: 1 } }',
      ),
      "Queue policy can not have DELAY as timeout action when 'preserve_ordering' is true for m",
    ],
    ['input { data_type: TYPE_FP32 }', "model input must specify 'name' for m"],
    ['output { name: "y" } output { name: "y" }', "model output 'y' is specified more than once for m"],
    [
      input('dims: [ 3, 0 ]'),
      "model input 'x' dimension must be integer >= 1, or -1 to indicate a variable-size dimension for m",
    ],
    [
      input('dims: -2'),
      "model input 'x' dimension must be integer >= 1, or -1 to indicate a variable-size dimension for m",
    ],
    [
      input('dims: 1 reshape { shape: 0 }'),
      "model input 'x' reshape dimensions must be integer >= 1, or -1 to indicate a variable-size dimension for m",
    ],
    [input('dims: [ 2, 3 ] reshape { shape: 7 }'), "model input 'x' has different size for dims and reshape for m"],
    [input('dims: 2 reshape { shape: [ ] }'), "model input 'x' has different size for dims and reshape for m"],
    [input('dims: -1 reshape { shape: 4 }'), "model input 'x' has different size for dims and reshape for m"],
    [
      input('dims: [ 2, -1, 3 ] reshape { shape: [ 3, -1, 2 ] }'),
      "model input 'x' has different size for dims and reshape for m",
    ],
    [
      input('dims: [ -1, 2 ] reshape { shape: [ -1, -1 ] }'),
      "model input 'x' has different number of variable-size dimensions for dims and reshape for m",
    ],
    [
      input('dims: [ 4294967296, 4294967296 ] reshape { shape: 1 }'),
      "model input 'x' has different size for dims and reshape for m",
    ],
    [input('format: FORMAT_NHWC dims: 4'), 'model input NHWC/NCHW require 3 dims for m'],
    [input('dims: 4 is_shape_tensor: true'), 'shape tensors are only supported for TensorRT platform for m'],
    [
      input('dims: 4 is_non_linear_format_io: true'),
      'Non-linear IO format is only supported for the TensorRT platform for m',
    ],
    ['instance_group { count: -1 }', 'instance group m_0 of model m has a negative count'],
    [
      'instance_group { kind: KIND_GPU gpus: -1 }',
      'instance group m_0 of model m specifies an invalid gpu id: ids are >= 0',
    ],
    ['instance_group { kind: KIND_GPU gpus: [ 1, 1 ] }', 'instance group m_0 of model m names a GPU more than once'],
    [
      'instance_group { name: "g" kind: KIND_CPU gpus: 0 }',
      'instance group g of model m has kind KIND_CPU but specifies one or more GPUs',
    ],
    [
      'instance_group { kind: KIND_MODEL gpus: 0 }',
      'instance group m_0 of model m has kind KIND_MODEL but specifies one or more GPUs',
    ],
    [
      'instance_group { profile: "0" }',
      'instance group m_0 of model m specifies profile field which is only supported for TensorRT models',
    ],
    ['instance_group { count: 2000000000 }', 'model m asks for 2000000000 instances, at most 256 are allowed'],
    [
      'response_cache { enable: true } sequence_batching {}',
      'Response Cache does not currently support model m with sequence batching scheduler. Please disable the response cache.',
    ],
    [
      'response_cache { enable: true } model_transaction_policy { decoupled: true }',
      "Response Cache does not currently support model m with 'decoupled' transaction policy. Please disable the response cache.",
    ],
  ])('%s', (text, message) => {
    expect(verdict(text)).toBe(message);
  });
});
