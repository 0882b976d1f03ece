import { type ModelSignature, scanInferResponse } from '@shoal/protocol';
import { bytesOf } from '@shoal/tensor';
import { responseBuilder } from './response';

const tensor = { dims: [2], modelDims: [2], optional: false, ragged: false } as const;
const signature: ModelSignature = {
  model: 'm',
  version: '3',
  maxBatchSize: 4,
  inputs: [],
  outputs: [
    { ...tensor, name: 'a', datatype: 'FP32' },
    { ...tensor, name: 'b', datatype: 'BOOL' },
  ],
  fixedShapes: true,
  decoupled: false,
};

const parts = [
  { index: 0, shape: [1, 2], bytes: bytesOf(Float32Array.of(0.25, 0.75)) },
  { index: 1, shape: [1, 2], bytes: Uint8Array.of(1, 0) },
];

test('all outputs by default; those that were wanted otherwise, as tensors or classes', () => {
  const build = responseBuilder(signature, { a: ['no', 'yes'] }, 1000);
  const all = scanInferResponse(Buffer.from(build('id-1', parts, [])));
  expect(all).toMatchObject({ modelName: 'm', modelVersion: '3', id: 'id-1' });
  expect(all.outputs.map(({ name }) => name)).toEqual(['a', 'b']);
  const top = scanInferResponse(Buffer.from(build('', parts, [{ index: 0, classification: 1 }])));
  expect(top.outputs).toMatchObject([{ name: 'a', datatype: 'BYTES', shape: [1, 1] }]);
  expect(top.rawOutputContents[0]?.subarray(4).toString()).toBe('0.750000:1:yes');
});

test('a response over the limit, and a type without scores, are refused', () => {
  const thrown = (build: () => unknown) => {
    try {
      return build();
    } catch (error) {
      return error;
    }
  };
  expect(thrown(() => responseBuilder(signature, {}, 20)('', parts, []))).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  const classes = [{ index: 1, classification: 1 }];
  expect(thrown(() => responseBuilder(signature, {}, 1000)('', parts, classes))).toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});
