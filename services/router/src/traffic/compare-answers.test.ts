import { type ResponseOutput, assembleInferResponse } from '@shoal/protocol';
import { compareAnswers } from './compare-answers';

const exact = { absolute: 0, relative: 0 };

function answer(version: string, outputs: Record<string, number[]>, change: Partial<ResponseOutput> = {}): Buffer {
  return assembleInferResponse({
    model: 'm',
    version,
    id: `id-${version}`,
    outputs: Object.entries(outputs).map(([name, values]) => ({
      name,
      datatype: 'FP32',
      shape: [values.length],
      contents: new Uint8Array(Float32Array.from(values).buffer),
      ...change,
    })),
  });
}

test('ids and versions do not count, nor the order of the outputs', () => {
  expect(compareAnswers(answer('1', { A: [1], B: [2] }), answer('2', { B: [2], A: [1] }), exact)).toBeUndefined();
});

test('the first output that differs, and the largest difference of all', () => {
  const found = compareAnswers(
    answer('1', { A: [1], B: [2], C: [3] }),
    answer('2', { A: [1], B: [2.5], C: [9] }),
    exact,
  );
  expect(found).toEqual({ output: 'B', reason: 'element 0 is the first to differ', largest: 6 });
});

test.each([
  ['missing', answer('2', { A: [1] }), { output: 'B', reason: 'the shadow version does not give it' }],
  ['more', answer('2', { A: [1], B: [2], C: [3] }), { output: 'C', reason: 'only the shadow version gives it' }],
  ['shape', answer('2', { A: [1], B: [2, 3] }), { output: 'B', reason: 'shape [1] here, [2] there' }],
  ['type', answer('2', { A: [1], B: [2] }, { datatype: 'INT32' }), { output: 'A', reason: 'FP32 here, INT32 there' }],
])('%s', (_what, shadow, expected) => {
  expect(compareAnswers(answer('1', { A: [1], B: [2] }), shadow, exact)).toEqual({ ...expected, largest: undefined });
});

test('within a tolerance', () => {
  const close = compareAnswers(answer('1', { A: [1] }), answer('2', { A: [1.001] }), { absolute: 0.01, relative: 0 });
  expect(close).toBeUndefined();
});
