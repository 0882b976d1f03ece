import type { BatchInputKind, ModelSignature, RaggedPlan, TensorSpec } from '@shoal/protocol';
import { bytesOf, encodeStrings } from '@shoal/tensor';
import { batchInputFeeds } from './batch-inputs';
import { BatchMemory } from './batch-memory';
import { gatherFeeds } from './gather';
import { scatterOutputs } from './scatter';

const memory = new BatchMemory();

function valuesOf(data: Uint8Array | readonly string[], type: string): number[] {
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  const Values = type === 'float32' ? Float32Array : Int32Array;
  return [...new Values(buffer as ArrayBuffer, byteOffset, byteLength / 4)];
}

describe('batch inputs, by Triton’s examples', () => {
  /** A batch of 2 items of shape [3, 1], and one of shape [2, 2]. */
  const requests = [
    { rows: 2, dims: [[3, 1]] },
    { rows: 1, dims: [[2, 2]] },
  ];

  test.each<[BatchInputKind, number[], number[]]>([
    ['BATCH_ELEMENT_COUNT', [2], [6, 4]],
    ['BATCH_ACCUMULATED_ELEMENT_COUNT', [2], [6, 10]],
    ['BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO', [3], [0, 6, 10]],
    ['BATCH_MAX_ELEMENT_COUNT_AS_SHAPE', [6], [0, 0, 0, 0, 0, 0]],
    ['BATCH_ITEM_SHAPE', [3, 2], [3, 1, 3, 1, 2, 2]],
    ['BATCH_ITEM_SHAPE_FLATTEN', [6], [3, 1, 3, 1, 2, 2]],
  ])('%s', (kind, dims, values) => {
    for (const [datatype, type] of [
      ['INT32', 'int32'],
      ['FP32', 'float32'],
    ] as const) {
      const plan: RaggedPlan = { batchInputs: [{ name: 'B', kind, datatype, source: 0 }], scattered: [] };
      const [feed] = batchInputFeeds(plan, requests, memory);
      expect(feed).toMatchObject({ name: 'B', type, dims });
      expect(valuesOf(feed!.data, type)).toEqual(values);
    }
  });
});

const spec = (name: string, datatype: TensorSpec['datatype'], dims: number[], ragged = false): TensorSpec => ({
  name,
  datatype,
  dims,
  modelDims: dims,
  optional: false,
  ragged,
});

const signature: ModelSignature = {
  model: 'm',
  version: '1',
  maxBatchSize: 8,
  inputs: [spec('x', 'INT32', [-1, 2], true), spec('even', 'INT32', [-1]), spec('words', 'BYTES', [-1], true)],
  outputs: [spec('y', 'INT32', [-1, 2]), spec('t', 'BYTES', [-1]), spec('sum', 'INT32', [1])],
  fixedShapes: false,
  decoupled: false,
  ragged: {
    batchInputs: [{ name: 'count', kind: 'BATCH_ELEMENT_COUNT', datatype: 'INT32', source: 0 }],
    scattered: [
      { output: 0, source: 0 },
      { output: 1, source: 2 },
    ],
  },
};

const ints = (...values: number[]) => bytesOf(Int32Array.from(values));

/** One item. */
function member(index: number, pairs: number, even: number[], words: string[]) {
  const values = Array.from({ length: 2 * pairs }, (_, i) => 10 * index + i);
  return {
    member: index,
    rows: 1,
    inputs: [
      { index: 0, shape: [1, pairs, 2], bytes: ints(...values) },
      { index: 1, shape: [1, even.length], bytes: ints(...even) },
      { index: 2, shape: [1, words.length], bytes: encodeStrings(words) },
    ],
  };
}

const fed = new Set([0, 1, 2]);

test('ragged inputs are joined element by element, others row by row; the server adds its own', () => {
  const present = [member(0, 1, [7], ['a', 'b']), member(1, 2, [8], ['c']), member(2, 1, [9], ['d'])];
  const { feeds, dims, members, faults } = gatherFeeds(signature, fed, present, memory);
  expect(faults).toEqual([]);
  expect(members).toEqual([0, 1, 2]);
  expect(feeds.map(({ name, dims: shape }) => [name, shape])).toEqual([
    ['x', [8]],
    ['even', [3, 1]],
    ['words', [4]],
    ['count', [3]],
  ]);
  expect(valuesOf(feeds[0]!.data, 'int32')).toEqual([0, 1, 10, 11, 12, 13, 20, 21]);
  expect(feeds[2]!.data).toEqual(['a', 'b', 'c', 'd']);
  expect(valuesOf(feeds[3]!.data, 'int32')).toEqual([2, 4, 2]);
  expect(dims.map((one) => one[0])).toEqual([
    [1, 2],
    [2, 2],
    [1, 2],
  ]);
});

test('what is not ragged must agree all the same', () => {
  const present = [member(0, 1, [7], ['a']), member(1, 2, [8, 9], ['c'])];
  const { faults, members, feeds } = gatherFeeds(signature, fed, present, memory);
  expect(members).toEqual([0]);
  expect(faults).toMatchObject([{ member: 1, code: 'INTERNAL' }]);
  // Those who are left out count for nothing.
  expect(valuesOf(feeds.at(-1)!.data, 'int32')).toEqual([2]);
});

describe('outputs that are cut by the shape of an input', () => {
  const dims = [
    [[1, 2], undefined, [2]],
    [[2, 2], undefined, [1]],
  ];

  test('each request gets as much as it sent; others get their rows', () => {
    const outputs = [
      { name: 'y', type: 'int32', dims: [6], data: ints(1, 2, 3, 4, 5, 6) },
      { name: 't', type: 'string', dims: [3], data: ['a', 'b', 'c'] },
      { name: 'sum', type: 'int32', dims: [2, 1], data: ints(3, 4) },
    ];
    const [first, second] = scatterOutputs(signature, outputs, [1, 1], dims);
    expect(first!.map(({ index, shape }) => [index, shape])).toEqual([
      [0, [1, 1, 2]],
      [1, [1, 2]],
      [2, [1, 1]],
    ]);
    expect(second!.map(({ shape }) => shape)).toEqual([
      [1, 2, 2],
      [1, 1],
      [1, 1],
    ]);
    expect(valuesOf(first![0]!.bytes, 'int32')).toEqual([1, 2]);
    expect(valuesOf(Uint8Array.from(second![0]!.bytes), 'int32')).toEqual([3, 4, 5, 6]);
    expect(Buffer.from(second![1]!.bytes)).toEqual(Buffer.from(encodeStrings(['c'])));
  });

  test.each([
    ['too few', [5], ints(1, 2, 3, 4, 5)],
    ['too many', [7], ints(1, 2, 3, 4, 5, 6, 7)],
  ])('%s elements fail the batch: what is whose cannot be told', (_, shape, data) => {
    const output = { name: 'y', type: 'int32', dims: shape, data };
    expect(() => scatterOutputs(signature, [output], [1, 1], dims)).toThrow(
      `output 'y' of model 'm' has ${shape[0]} elements, the shapes of its requests hold 6`,
    );
  });

  test('another type fails it too', () => {
    const output = { name: 'y', type: 'float32', dims: [6], data: ints(1, 2, 3, 4, 5, 6) };
    expect(() => scatterOutputs(signature, [output], [1, 1], dims)).toThrow('came as float32');
  });
});
