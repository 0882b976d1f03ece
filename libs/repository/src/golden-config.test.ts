import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig } from '@shoal/protocol';
import { Reader } from 'protobufjs';
import { completeConfig } from './complete';
import { modelConfigType, toPlain } from './model-config-type';
import type { OnnxTensorInfo } from './onnx-model-info';
import { parseModelConfig } from './parse-config';

interface GoldenCase {
  readonly name: string;
  readonly response: string;
}

const golden = JSON.parse(
  readFileSync(join(__dirname, '../../../test/fixtures/triton-golden/metadata-config.json'), 'utf8'),
) as { readonly cases: readonly GoldenCase[] };

/** The config inside a recorded ModelConfigResponse (its field 1). */
function recorded(name: string): ModelConfig {
  const found = golden.cases.find((each) => each.name === `model_config_${name}`);
  if (found === undefined) throw new Error(`no recorded case ${name}`);
  const reader = Reader.create(Buffer.from(found.response, 'base64'));
  expect(reader.uint32()).toBe(0x0a);
  return toPlain(modelConfigType().decode(reader, reader.uint32()));
}

const io = (kind: string, name: string, dims: string): string =>
  `${kind} { name: "${name}" data_type: TYPE_INT32 dims: [ ${dims} ] }`;
const parameter = (value: string): string => `parameters { key: "kind" value { string_value: "${value}" } }`;
const slow = (head: string): string =>
  [
    head,
    io('input', 'INPUT0', '-1'),
    io('input', 'DELAY_MS', '1'),
    io('output', 'OUTPUT0', '-1'),
    parameter('slow'),
  ].join('\n');

/** What the authors of the recorded models wrote, by the description that comes with the recording. */
const written: Readonly<Record<string, string>> = {
  simple: [
    'max_batch_size: 8',
    ...['INPUT0', 'INPUT1'].map((name) => io('input', name, '16')),
    ...['OUTPUT0', 'OUTPUT1'].map((name) => io('output', name, '16')),
    parameter('addsub'),
  ].join('\n'),
  batcher_pref: slow(
    'max_batch_size: 8 dynamic_batching { preferred_batch_size: [ 2, 6 ] max_queue_delay_microseconds: 1000000 }',
  ),
  batcher_delay: slow('max_batch_size: 8 dynamic_batching { max_queue_delay_microseconds: 500000 }'),
  queue_timeout: slow(
    `max_batch_size: 8 dynamic_batching { max_queue_delay_microseconds: 2000000
     default_queue_policy { timeout_action: REJECT default_timeout_microseconds: 400000 allow_timeout_override: true } }`,
  ),
  queue_prio: slow('max_batch_size: 1 dynamic_batching { priority_levels: 3 default_priority_level: 2 }'),
  cached: [
    'max_batch_size: 8 response_cache { enable: true }',
    io('input', 'INPUT0', '-1'),
    io('output', 'OUTPUT0', '-1'),
    parameter('identity'),
  ].join('\n'),
  simple_dyna_sequence: [
    `max_batch_size: 8 instance_group { count: 2 kind: KIND_CPU }
     sequence_batching { max_sequence_idle_microseconds: 10000000
       control_input { name: "START" control { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } }
       control_input { name: "END" control { kind: CONTROL_SEQUENCE_END int32_false_true: [ 0, 1 ] } }
       control_input { name: "READY" control { kind: CONTROL_SEQUENCE_READY int32_false_true: [ 0, 1 ] } }
       control_input { name: "CORRID" control { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64 } }
       oldest { max_candidate_sequences: 1024 max_queue_delay_microseconds: 10000 } }`,
    io('input', 'INPUT', '1'),
    io('output', 'OUTPUT', '1'),
    parameter('seqdyna'),
  ].join('\n'),
  repeat_int32: [
    'model_transaction_policy { decoupled: true }',
    io('input', 'IN', '-1'),
    'input { name: "DELAY" data_type: TYPE_UINT32 dims: -1 } input { name: "WAIT" data_type: TYPE_UINT32 dims: 1 }',
    io('output', 'OUT', '1'),
    parameter('repeat'),
  ].join('\n'),
};

/** The signature of an ONNX model that fits a config. */
function modelOf(config: ModelConfig): { inputs: OnnxTensorInfo[]; outputs: OnnxTensorInfo[] } {
  const tensor = ({
    name,
    data_type,
    dims,
  }: ModelConfig['input'][number] | ModelConfig['output'][number]): OnnxTensorInfo => ({
    name,
    datatype: data_type === 'TYPE_UINT32' ? 'UINT32' : 'INT32',
    shape: config.max_batch_size > 0 ? ['N', ...dims] : dims,
  });
  return { inputs: config.input.map(tensor), outputs: config.output.map(tensor) };
}

describe('configs as Triton normalises them', () => {
  // An ensemble has no model to complete its config from.
  test('every recorded config but the ensemble is compared', () => {
    const names = golden.cases.flatMap(({ name }) => (name.startsWith('model_config_') ? [name.slice(13)] : []));
    expect([...Object.keys(written), 'ensemble_simple'].sort()).toEqual(names.sort());
  });

  test.each(Object.keys(written))('%s', (name) => {
    const given = parseModelConfig(written[name] ?? '', `${name}/config.pbtxt`);
    const { config } = completeConfig(name, given, modelOf(given));
    // The recording server ran another backend: its fields are volatile.
    const volatile = { platform: 'onnxruntime_onnx', backend: 'onnxruntime', default_model_filename: 'model.onnx' };
    expect(config).toEqual({ ...recorded(name), ...volatile });
  });
});
