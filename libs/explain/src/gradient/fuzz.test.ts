import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { seededRandom, ShoalError } from '@shoal/core';

import { embedding, lastConvolution } from './layers';
import { gradientTwin } from './twin';

const read = (name: string): Uint8Array =>
  readFileSync(join(__dirname, '../../../../test/fixtures/models', name, '1/model.onnx'));
const seed = Number(process.env['FUZZ_SEED'] ?? 11);
const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 100);

/** Whatever the bytes: a twin, or a ShoalError with a sentence; anything else is told. */
function problems(bytes: Uint8Array): string[] {
  const found: string[] = [];
  for (const ask of [
    () => gradientTwin(bytes),
    () => lastConvolution(bytes),
    () => embedding(bytes, 'input_ids'),
    () => gradientTwin(bytes, { feed: 'e' }),
  ]) {
    try {
      ask();
    } catch (thrown) {
      const { code, message } = thrown instanceof ShoalError ? thrown : { code: 'thrown', message: String(thrown) };
      const good = (code === 'INVALID_ARGUMENT' || code === 'UNIMPLEMENTED') && message.length > 20;
      if (!good) found.push(`${code}: ${message}`);
    }
  }
  return found;
}

describe(`mangled models (seed ${seed})`, () => {
  const files = ['package_topic_tokens', 'diabetes_mlp', 'iris_logreg', 'ragged_sum', 'slow_loop', 'wine_lgbm'].map(
    read,
  );

  test('cut anywhere', () => {
    const random = seededRandom(seed);
    for (const file of files) {
      for (let round = 0; round < rounds / 4; round += 1) {
        const length = Math.floor(random.next() * file.length);
        expect(problems(file.subarray(0, length))).toEqual([]);
      }
    }
    const [file] = files as [Uint8Array];
    expect(() => gradientTwin(new Uint8Array(0))).toThrow('not an ONNX model: it has no graph');
    expect(() => gradientTwin(file.subarray(0, file.length / 2))).toThrow(
      'not an ONNX model: the file ends within a field',
    );
    expect(() => gradientTwin(Buffer.from('a text, not a model'))).toThrow('not an ONNX model: ');
  });

  test('with bytes changed, put in and taken out', () => {
    const random = seededRandom(seed + 1);
    const below = (end: number): number => Math.floor(random.next() * end);
    for (let round = 0; round < rounds * files.length; round += 1) {
      const file = files[round % files.length] as Uint8Array;
      let bytes = Buffer.from(file);
      for (let change = below(4); change >= 0; change -= 1) {
        // Half of the changes are in the first bytes, where these files have their nodes.
        const at = below(2) === 0 ? below(bytes.length) : below(Math.min(bytes.length, 3000));
        const kind = below(3);
        if (kind === 0) bytes[at] = below(256);
        else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(8))]);
        else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([below(256), below(256)]), bytes.subarray(at)]);
      }
      expect(problems(bytes)).toEqual([]);
    }
  });
});
