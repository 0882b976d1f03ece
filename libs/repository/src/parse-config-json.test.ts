import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ShoalError } from '@shoal/core';
import { toJson } from 'protobufjs/ext/protojson';
import { maxConfigBytes } from './limits';
import { emptyModelConfig, modelConfigType } from './model-config-type';
import { parseModelConfig } from './parse-config';
import { parseModelConfigJson } from './parse-config-json';

const models = join(__dirname, '../../../test/fixtures/models');

function refusal(json: string): string {
  try {
    parseModelConfigJson(json);
  } catch (error) {
    if (!(error instanceof ShoalError)) throw error;
    return error.message.replace('failed to read the model configuration from JSON: ', '');
  }
  throw new Error('was accepted');
}

describe('parseModelConfigJson', () => {
  test('an override of one number, as a string', () => {
    expect(parseModelConfigJson('{"max_batch_size":"16"}')).toEqual({ ...emptyModelConfig(), max_batch_size: 16 });
  });

  test('both spellings of names, enums by name and number, 64-bit numbers as strings and numbers', () => {
    const snake = parseModelConfigJson('{"input":[{"name":"a","data_type":"TYPE_FP32","dims":["-1","3"]}]}');
    const camel = parseModelConfigJson('{"input":[{"name":"a","dataType":11,"dims":[-1,3]}]}');
    expect(camel).toEqual(snake);
    expect(snake.input[0]).toMatchObject({ data_type: 'TYPE_FP32', dims: [-1, 3] });
  });

  test.each(readdirSync(models))('%s: text and JSON say the same', (model) => {
    const files = readdirSync(join(models, model));
    if (!files.includes('config.pbtxt')) return;
    const config = parseModelConfig(readFileSync(join(models, model, 'config.pbtxt'), 'utf8'), model);
    const json = JSON.stringify(toJson(modelConfigType(), modelConfigType().fromObject(config)));
    expect(parseModelConfigJson(json)).toEqual(config);
  });

  test.each([
    ['{', "Expected property name or '}'"],
    ['[]', 'ModelConfig: expected object'],
    ['null', 'ModelConfig: expected object'],
    ['{"no_such_field":1}', 'no_such_field: Cannot find field.'],
    ['{"max_batch_size":16.5}', 'ModelConfig.max_batch_size: not an integer: 16.5'],
    ['{"max_batch_size":"many"}', 'ModelConfig.max_batch_size: invalid integer: "many"'],
    ['{"input":[{"data_type":77}]}', 'data_type: 77 is no value of enum DataType'],
    ['{"dynamic_batching":{},"sequence_batching":{}}', 'ModelConfig: multiple values for oneof scheduling_choice'],
  ])('%s', (json, message) => {
    expect(refusal(json)).toContain(message);
  });

  test('bounds size and depth', () => {
    expect(refusal(' '.repeat(maxConfigBytes + 1))).toBe(`larger than ${maxConfigBytes} bytes`);
    expect(refusal(`{"input":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).toContain('nested too deeply');
    expect(refusal('['.repeat(maxConfigBytes))).toContain('JSON');
  });
});
