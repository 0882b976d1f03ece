import type { ModelSignature } from '@shoal/protocol';
import { bytesOf } from '@shoal/tensor';
import { scatterOutputs } from './scatter';

const signature: ModelSignature = {
  model: 'm',
  version: '1',
  maxBatchSize: 8,
  inputs: [],
  outputs: [{ name: 'y', datatype: 'INT32', dims: [1], modelDims: [], optional: false, ragged: false }],
  fixedShapes: true,
  decoupled: false,
};

const output = (dims: number[], type = 'int32') => ({ name: 'y', type, dims, data: bytesOf(Int32Array.of(1, 2, 3)) });

test('each member gets its rows, in the wire’s shape, without a copy', () => {
  const data = output([3]);
  const [first, second] = scatterOutputs(signature, [data], [1, 2]);
  expect(first).toMatchObject([{ index: 0, shape: [1, 1] }]);
  expect(second?.[0]?.shape).toEqual([2, 1]);
  expect(second?.[0]?.bytes.buffer).toBe(data.data.buffer);
  expect(second?.[0]?.bytes.byteOffset).toBe(4);
});

test('a shape that the config could not know is told as it is', () => {
  const [, second] = scatterOutputs(signature, [{ ...output([3, 1, 1]) }], [1, 2]);
  expect(second?.[0]?.shape).toEqual([2, 1, 1]);
});

test('an output that is not what the config says fails the batch: rows of others must not get out', () => {
  const message = (dims: number[], type?: string) => {
    try {
      scatterOutputs(signature, [output(dims, type)], [1, 2]);
      return 'accepted';
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(message([2])).toBe("output 'y' of model 'm' has shape [2], its first dimension must be the batch size 3");
  expect(message([])).toMatch(/first dimension must be the batch size 3/);
  expect(message([3], 'float32')).toMatch(/came as float32, its configuration says INT32/);
});
