import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShoalError } from '@shoal/core';
import { parseModelConfig } from './parse-config';
import { checkWarmup, readWarmupFile } from './warmup';

test('warm-up data is read from the folder warmup and from nowhere else', async () => {
  const model = await mkdtemp(join(tmpdir(), 'shoal-warmup-'));
  try {
    await mkdir(join(model, 'warmup/deep'), { recursive: true });
    await writeFile(join(model, 'warmup/x'), 'x');
    await writeFile(join(model, 'warmup/deep/y'), 'y');
    await writeFile(join(model, 'config.pbtxt'), '');
    await symlink('../config.pbtxt', join(model, 'warmup/z'));
    expect((await readWarmupFile(model, 'x', 'm')).toString()).toBe('x');
    expect((await readWarmupFile(model, 'deep/y', 'm')).toString()).toBe('y');
    for (const [name, why] of [
      ['../config.pbtxt', 'it must lie inside the model folder'],
      ['z', 'it must lie inside the model folder'],
      ['none', 'no such file or folder'],
      ['deep', 'not a regular file'],
    ] as const)
      await expect(readWarmupFile(model, name, 'm')).rejects.toEqual(
        new ShoalError('INVALID_ARGUMENT', `unable to read warm-up file '${name}' of model 'm': ${why}`),
      );
  } finally {
    await rm(model, { recursive: true });
  }
});

describe('checkWarmup', () => {
  const check = (text: string): void =>
    checkWarmup(parseModelConfig(`max_batch_size: 4 model_warmup { name: "w" ${text} }`, 'm'), 'm');
  const input = (dims: string, type = 'TYPE_FP32'): string =>
    `inputs { key: "x" value { data_type: ${type} dims: [ ${dims} ] zero_data: true } }`;

  test('what is fine', () => {
    expect(() => {
      check(`batch_size: 4 count: 3 ${input('2, 3')}`);
    }).not.toThrow();
  });

  test.each([
    ['batch_size: 5', 'must have a batch size of at most 4, got 5'],
    ['count: 100000', 'must run at most 10000 times, got 100000'],
    [input('-1'), "must have dims >= 1 for input 'x'"],
    [input('3', 'TYPE_INVALID'), "must specify 'data_type' of input 'x'"],
    [input('4294967296, 4294967296'), "has input 'x' with more than 67108864 elements"],
  ])('%s', (text, message) => {
    expect(() => {
      check(text);
    }).toThrow(new ShoalError('INVALID_ARGUMENT', `warm-up 'w' of model 'm' ${message}`));
  });
});
