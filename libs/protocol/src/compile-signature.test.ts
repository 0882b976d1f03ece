import { compileSignature } from './compile-signature';
import type { ModelConfig__Output as ModelConfig } from './generated/inference/ModelConfig';
import { messageType } from './testing/schema';

function config(fields: object): ModelConfig {
  const type = messageType('ModelConfig');
  const plain = type.toObject(type.fromObject({ name: 'm', ...fields }), {
    longs: Number,
    enums: String,
    defaults: true,
    arrays: true,
    objects: true,
    oneofs: true,
  });
  return plain as ModelConfig;
}

test('types, dims, reshape, flags', () => {
  const got = compileSignature(
    config({
      max_batch_size: 8,
      input: [
        { name: 'A', data_type: 'TYPE_FP32', dims: [3, -1], allow_ragged_batch: true },
        { name: 'B', data_type: 'TYPE_STRING', dims: [1], reshape: { shape: [] }, optional: true },
      ],
      output: [{ name: 'C', data_type: 'TYPE_BF16', dims: [10], reshape: { shape: [1, 10] } }],
    }),
    3,
  );
  expect(got).toEqual({
    model: 'm',
    version: '3',
    maxBatchSize: 8,
    inputs: [
      { name: 'A', datatype: 'FP32', dims: [3, -1], modelDims: [3, -1], optional: false, ragged: true },
      { name: 'B', datatype: 'BYTES', dims: [1], modelDims: [], optional: true, ragged: false },
    ],
    outputs: [{ name: 'C', datatype: 'BF16', dims: [10], modelDims: [1, 10], optional: false, ragged: false }],
    fixedShapes: false,
    ragged: { batchInputs: [], scattered: [] },
    decoupled: false,
  });
});

test('ragged batches: what the server gives the model, and which outputs are cut by the shapes of inputs', () => {
  const tensors = {
    input: ['A', 'B'].map((name) => ({ name, data_type: 'TYPE_FP32', dims: [-1], allow_ragged_batch: name === 'B' })),
    output: ['C', 'D'].map((name) => ({ name, data_type: 'TYPE_FP32', dims: [-1] })),
  };
  const batchInput = { kind: 'BATCH_ITEM_SHAPE', target_name: ['N', 'M'], data_type: 'TYPE_FP32', source_input: ['B'] };
  const fields = {
    ...tensors,
    batch_input: [batchInput, { ...batchInput, target_name: ['O'], source_input: ['unknown'] }],
    batch_output: [{ target_name: ['D'], source_input: ['A'] }],
  };
  expect(compileSignature(config(fields), 1).ragged).toEqual({
    batchInputs: ['N', 'M'].map((name) => ({ name, kind: 'BATCH_ITEM_SHAPE', datatype: 'FP32', source: 1 })),
    scattered: [{ output: 1, source: 0 }],
  });
  expect(
    compileSignature(config({ input: [{ name: 'A', data_type: 'TYPE_FP32', dims: [-1] }] }), 1).ragged,
  ).toBeUndefined();
});

test('fixed shapes and the transaction policy', () => {
  const input = [{ name: 'A', data_type: 'TYPE_INT8', dims: [1] }];
  expect(compileSignature(config({ input }), '1').fixedShapes).toBe(true);
  expect(compileSignature(config({ model_transaction_policy: { decoupled: true } }), '1').decoupled).toBe(true);
});

test('a tensor without a type is refused', () => {
  expect(() => compileSignature(config({ output: [{ name: 'A' }] }), 1)).toThrow(
    "tensor 'A' of model 'm' has no known data type: TYPE_INVALID",
  );
});
