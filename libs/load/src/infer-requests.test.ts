import { scanInferRequest } from '@shoal/protocol';
import { seededRandom } from '@shoal/core';
import { chooseData, serialiseRequest, withId } from './infer-requests';
import type { ModelIo } from './model-io';
import { requestSource } from './request-source';

const model: ModelIo = {
  name: 'm',
  version: '3',
  maxBatchSize: 8,
  inputs: [
    { name: 'a', datatype: 'FP32', dims: [4] },
    { name: 'b', datatype: 'BYTES', dims: [-1] },
  ],
  outputs: [],
};
const data = chooseData(model, { inputData: 'random', shapes: new Map([['b', [2]]]), random: seededRandom(1) });

test('a request holds each input once a row', () => {
  const view = scanInferRequest(serialiseRequest({ model, batchSize: 3 }, data[0]!));
  expect(view).toMatchObject({ modelName: 'm', modelVersion: '3', id: '' });
  expect(view.inputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
    ['a', 'FP32', [3, 4]],
    ['b', 'BYTES', [3, 2]],
  ]);
  expect(view.rawInputContents.map((raw) => raw.length)).toEqual([48, 120]);
});

test('requests in the background say so', () => {
  const form = { model, batchSize: 1 };
  expect(scanInferRequest(serialiseRequest(form, data[0]!)).parameters.size).toBe(0);
  const next = requestSource({ ...form, background: true, data, ids: 'none', regions: undefined });
  expect([...scanInferRequest(next(0)).parameters]).toEqual([['shoal.background', { kind: 'bool', value: true }]]);
});

test('a model without a batch dimension gets none', () => {
  const single = { ...model, maxBatchSize: 0 };
  expect(scanInferRequest(serialiseRequest({ model: single, batchSize: 1 }, data[0]!)).inputs[0]?.shape).toEqual([4]);
});

test('an id is put behind the rest', () => {
  const request = serialiseRequest({ model, batchSize: 1 }, data[0]!);
  const view = scanInferRequest(withId(request, 'r17'));
  expect(view.id).toBe('r17');
  expect(view.rawInputContents).toHaveLength(2);
});

test('entries take turns; the same bytes are sent again', () => {
  const two = [data[0]!, new Map([...data[0]!].toReversed())];
  const next = requestSource({ model, data: two, batchSize: 1, ids: 'none', regions: undefined });
  const [first, second, third] = [next(0), next(1), next(0)];
  expect(third).toBe(first);
  expect(second).not.toBe(first);
});

test('ids: by slot, or unique', () => {
  const ids = (kind: 'slot' | 'unique') => {
    const next = requestSource({ model, data, batchSize: 1, ids: kind, regions: undefined });
    return [0, 5, 0].map((slot) => scanInferRequest(next(slot)).id);
  };
  expect(ids('slot')).toEqual(['slot-0', 'slot-5', 'slot-0']);
  expect(ids('unique')).toEqual(['r1', 'r2', 'r3']);
});

test('tensors in shared memory are named, not sent', () => {
  const place = (region: string, offset: number) => ({ region, offset, byteSize: 16 });
  const regions = {
    inputs: [new Map([['a', place('in', 0)]]).set('b', place('in', 4096))],
    outputs: [new Map([['y', place('out', 0)]]), new Map([['y', place('out', 4096)]])],
    release: () => Promise.resolve(),
  };
  const next = requestSource({ model, data, batchSize: 1, ids: 'none', regions });
  const view = scanInferRequest(next(3));
  expect(view.rawInputContents).toHaveLength(0);
  expect(view.inputs[1]?.parameters.get('shared_memory_offset')).toEqual({ kind: 'int64', value: 4096 });
  expect(view.outputs[0]?.parameters.get('shared_memory_offset')).toEqual({ kind: 'int64', value: 4096 });
  expect(scanInferRequest(next(2)).outputs[0]?.parameters.get('shared_memory_offset')).toMatchObject({ value: 0 });
});
