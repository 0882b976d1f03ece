import { ShoalError } from '@shoal/core';
import { parseModelConfig } from './parse-config';
import { checkWarmup } from './warmup';

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
