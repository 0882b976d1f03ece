import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ShoalError } from '@shoal/core';
import { maxConfigBytes } from './limits';
import { emptyModelConfig } from './model-config-type';
import { parseModelConfig } from './parse-config';

const models = join(__dirname, '../../../test/fixtures/models');
const configs = readdirSync(models).flatMap((model) => {
  const folder = join(models, model);
  return readdirSync(folder).includes('config.pbtxt')
    ? [[model, readFileSync(join(folder, 'config.pbtxt'), 'utf8')]]
    : [];
}) as [string, string][];

function refusal(text: string): string {
  try {
    parseModelConfig(text, 'm/config.pbtxt');
  } catch (error) {
    if (!(error instanceof ShoalError) || error.code !== 'INVALID_ARGUMENT') throw error;
    return error.message.replace('failed to read text proto from m/config.pbtxt: ', '');
  }
  throw new Error(`was accepted: ${text}`);
}

describe('parseModelConfig', () => {
  test('there are fixtures to read', () => {
    expect(configs.length).toBeGreaterThan(30);
  });

  test.each(configs)('%s', (model, text) => {
    const config = parseModelConfig(text, `${model}/config.pbtxt`);
    expect(config.name).toBe(model);
    expect(config.platform).toBe('onnxruntime_onnx');
    expect(config.input.length).toBeGreaterThan(0);
  });

  test('fills every default and names fields as in the proto', () => {
    const config = parseModelConfig('name: "m" input [ { name: "x" data_type: TYPE_FP32 dims: [ -1, 3 ] } ]', 'm');
    expect(config).toEqual({
      ...emptyModelConfig(),
      name: 'm',
      input: [
        {
          name: 'x',
          data_type: 'TYPE_FP32',
          format: 'FORMAT_NONE',
          dims: [-1, 3],
          reshape: null,
          is_shape_tensor: false,
          allow_ragged_batch: false,
          optional: false,
          is_non_linear_format_io: false,
        },
      ],
    });
  });

  test('reads maps, oneofs, enums, comments, 64-bit numbers and a byte order mark', () => {
    const config = parseModelConfig(
      `\uFEFF# comment
      dynamic_batching <
        max_queue_delay_microseconds: 9007199254740991,
        priority_levels: 2;
        default_priority_level: 0x1
        priority_queue_policy { key: 2 value: { timeout_action: DELAY max_queue_size: 7 } }
      >
      parameters: { key: 'a' value { string_value: 'b' "c" } }
      version_policy { specific { versions: 1 versions: 3 } }`,
      'm',
    );
    expect(config.scheduling_choice).toBe('dynamic_batching');
    expect(config.dynamic_batching?.max_queue_delay_microseconds).toBe(9007199254740991);
    expect(config.dynamic_batching?.priority_queue_policy).toEqual({
      2: { timeout_action: 'DELAY', default_timeout_microseconds: 0, allow_timeout_override: false, max_queue_size: 7 },
    });
    expect(config.parameters).toEqual({ a: { string_value: 'bc' } });
    expect(config.version_policy?.specific?.versions).toEqual([1, 3]);
  });

  test.each([
    ['a value of the wrong type', 'name: "m"\nmax_batch_size: eight\n', '2:17: integer value expected'],
    ['an unknown field', 'name: "m"\n  foo: 1', '2:3: Message type "inference.ModelConfig" has no field named "foo".'],
    [
      'an unknown field inside',
      'input [\n  { name: "x" dim: 3 }\n]',
      '2:15: Message type "inference.ModelInput" has no field named "dim".',
    ],
    [
      'an unknown enum name',
      'input { name: "x"\n data_type: TYPE_FP33 }',
      '2:13: ModelInput.data_type: enum value expected',
    ],
    ['an unknown enum number', 'input { data_type: 99 }', '1:23: data_type: 99 is no value of enum DataType'],
    ['a missing colon', 'max_batch_size 8', "1:16: expected ':'"],
    ['a bracket too few', 'input {\n dims: [ 1, 2, 3\n name: "x" }', "3:2: expected ']'"],
    ['an end too soon', 'input {\n name: "x"\n', "3:1: expected '}'"],
    ['an open string', 'name: "m\nmax_batch_size: 8', '1:9: illegal string'],
    ['two schedulers', 'dynamic_batching {}\nsequence_batching {}', '2:20: scheduling_choice: multiple values'],
    ['a field twice', 'max_batch_size: 1\nmax_batch_size: 2', '2:17: ModelConfig.max_batch_size: multiple values'],
    ['a number out of range', 'max_batch_size: 99999999999', '1:17: integer value out of range'],
    ['an extension', '[foo.bar]: 1', "1:9: ModelConfig: unknown extension 'foo.bar'"],
  ])('%s: the place and the words', (_, text, message) => {
    expect(refusal(text)).toBe(message);
  });

  test('bounds size and depth', () => {
    expect(refusal('#'.repeat(maxConfigBytes + 1))).toBe(`larger than ${maxConfigBytes} bytes`);
    expect(parseModelConfig('#'.repeat(maxConfigBytes), 'm')).toEqual(emptyModelConfig());
    expect(refusal('batch_input <'.repeat(50_000))).toContain('no field named "batch_input"');
    expect(refusal('['.repeat(500_000))).toContain('1: unterminated');
  });

  test('a key that is called __proto__ is a key', () => {
    const { parameters } = parseModelConfig('parameters { key: "__proto__" value { string_value: "x" } }', 'm');
    expect(Object.keys(parameters)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(parameters)).toBe(Object.prototype);
  });
});
