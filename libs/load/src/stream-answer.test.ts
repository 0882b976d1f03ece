import { inferenceService } from './control-client';
import { readStreamAnswer, slotId } from './stream-answer';

const method = inferenceService['ModelStreamInfer'] as { responseSerialize(message: object): Buffer };

test('the slot is found among all fields', () => {
  const infer_response = {
    model_name: 'm'.repeat(300),
    model_version: '1',
    id: slotId(123),
    parameters: { triton_final_response: { bool_param: true }, d: { double_param: 1.5 } },
    outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2] }],
    raw_output_contents: [Buffer.alloc(40_000, 0x1a)],
  };
  expect(readStreamAnswer(method.responseSerialize({ infer_response }))).toEqual({ slot: 123, error: undefined });
});

test('errors, with and without the request’s id', () => {
  const id = slotId(4);
  expect(readStreamAnswer(method.responseSerialize({ error_message: 'no', infer_response: { id } }))).toEqual({
    slot: 4,
    error: 'no',
  });
  expect(readStreamAnswer(method.responseSerialize({ error_message: 'no' }))).toEqual({ slot: -1, error: 'no' });
});

test('an answer without an id belongs to nobody in particular', () => {
  expect(readStreamAnswer(method.responseSerialize({ infer_response: { model_name: 'm' } })).slot).toBe(-1);
});
