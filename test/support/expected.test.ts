import { caseOf, expectedOf, mismatch } from './expected';
import type { ModelInferResponse } from './stock-client';

const model = 'digits_mlp';
const one = caseOf(model, 'one');
const { tolerance } = expectedOf(model);

/** The reference itself as an answer. */
function answer(change: (response: ModelInferResponse) => void = () => undefined): ModelInferResponse {
  const response = {
    outputs: one.outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: [...shape] })),
    raw_output_contents: one.outputs.map(({ raw }) => Buffer.from(raw, 'base64')),
  } as unknown as ModelInferResponse;
  change(response);
  return response;
}

/** Adds to the first probability. */
const off = (by: number) => (response: ModelInferResponse) => {
  const bytes = response.raw_output_contents[1]!;
  bytes.writeFloatLE(bytes.readFloatLE(0) + by, 0);
};

test('the reference is right, and so is what is within the tolerance', () => {
  expect(mismatch(answer(), one, tolerance)).toBeUndefined();
  expect(mismatch(answer(off(tolerance.atol / 2)), one, tolerance)).toBeUndefined();
});

test.each<[string, (response: ModelInferResponse) => void, RegExp]>([
  ['a value beyond the tolerance', off(1e-3), /probabilities: element 0 is/],
  ['NaN', off(Number.NaN), /probabilities: element 0 is NaN/],
  ['another label', (response) => response.raw_output_contents[0]!.writeInt8(11, 0), /label: other bytes/],
  ['another shape', (response) => response.outputs[1]!.shape.reverse(), /has the shape \[10,1\]/],
  ['another type', (response) => (response.outputs[1]!.datatype = 'FP64'), /is FP64/],
  ['fewer bytes', (response) => (response.raw_output_contents[1] = Buffer.alloc(4)), /4 bytes, not 40/],
  ['an output less', (response) => response.outputs.pop(), /1 outputs, not 2/],
])('%s is wrong', (_, change, problem) => {
  expect(mismatch(answer(change), one, tolerance)).toMatch(problem);
});
