import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ShoalError } from '@shoal/core';

import { readOnnx } from '../onnx/read-onnx';
import { RunningModel } from '../testing/run-model';
import { gradientTwin } from './twin';

const models = join(__dirname, '../../../../test/fixtures/models');
const read = (name: string): Uint8Array => readFileSync(join(models, name, '1/model.onnx'));

/** What comes of each model: the tensors that its twin has gradients at, or the sentence it is refused with. */
const outcomes: Readonly<Record<string, readonly string[] | RegExp>> = {
  bf16_double: /no input of a floating-point type/,
  breast_cancer_xgb:
    /operator ai\.onnx\.ml\.TreeEnsembleClassifier .* has no rule; use a method that needs predictions only/,
  diabetes_gbr: /operator ai\.onnx\.ml\.TreeEnsembleRegressor \(node .*\) cannot be differentiated: it has no rule/,
  diabetes_mlp: ['input'],
  diabetes_xgb: /TreeEnsembleRegressor/,
  digits_cnn: ['image'],
  digits_lstm: /operator LSTM \(node .*\) cannot be differentiated/,
  digits_mlp: ['pixels'],
  fails_on_poison: ['X'],
  identity_fp32: ['INPUT0'],
  identity_int32: /no input of a floating-point type/,
  iris_logreg: ['input'],
  simple: /no input of a floating-point type/,
  slow_loop: /Loop/,
  variable_length: ['X'],
  wine_lgbm: /TreeEnsembleClassifier/,
};

const refused = Object.entries(outcomes).filter((entry): entry is [string, RegExp] => entry[1] instanceof RegExp);
const made = Object.entries(outcomes).filter((entry): entry is [string, string[]] => Array.isArray(entry[1]));

describe('models of the fixtures', () => {
  test.each(refused)('%s is refused', (name, sentence) => {
    expect(() => gradientTwin(read(name))).toThrow(sentence);
  });

  test.each(made)('%s has a twin, which keeps its interface', async (name, gradients) => {
    const twin = gradientTwin(read(name));
    expect(twin.gradients).toEqual(gradients);
    const running = await RunningModel.load(twin.model);
    await running.release();
    const before = readOnnx(read(name)).graph;
    const after = readOnnx(twin.model).graph;
    const names = before.inputs.map((value) => value.name);
    expect(after.inputs.map((value) => value.name)).toEqual([...names, 'shoal.output_weights']);
    expect(after.outputs.slice(0, before.outputs.length)).toEqual(before.outputs);
  });

  test('every other one either has a twin that loads, or a sentence', async () => {
    const problems: string[] = [];
    for (const name of readdirSync(models)) {
      try {
        const { model } = gradientTwin(read(name));
        await (await RunningModel.load(model)).release();
      } catch (thrown) {
        if (!(thrown instanceof ShoalError)) problems.push(`${name}: ${String(thrown)}`);
      }
    }
    expect(problems).toEqual([]);
  });
});
