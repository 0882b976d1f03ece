import { scanInferRequest } from '@shoal/protocol';
import { decodeStrings, encodeStrings, fromNumbers, toNumbers } from '@shoal/tensor';
import { RowRequests } from './row-requests';

test('a request holds its part of the rows: numbers, words of any length, and what stays as it is', () => {
  const requests = new RowRequests({
    ...{ model: 'm', version: '3', batched: true },
    row: [
      { name: 'size', datatype: 'FP32', shape: [1, 2], bytes: fromNumbers('FP32', [1, 2]) },
      { name: 'note', datatype: 'BYTES', shape: [1, 2], bytes: encodeStrings(['a', 'b']) },
      { name: 'fixed', datatype: 'INT8', shape: [1], bytes: fromNumbers('INT8', [7]) },
    ],
    explained: [
      { name: 'size', datatype: 'FP32', elements: 2 },
      { name: 'note', datatype: 'BYTES', elements: 2 },
    ],
    output: { name: 'y', datatype: 'FP32', elements: 1, indices: [0] },
  });
  const notes = encodeStrings(['one', '', 'three', 'four', 'fünf', '6']);
  const buffers = requests.buffers(3, [24, notes.length]);
  expect(buffers.map(({ length }) => length)).toEqual([24, notes.length]);
  buffers[0]?.set(fromNumbers('FP32', [1, 2, 3, 4, 5, 6]));
  buffers[1]?.set(notes);
  const { inputs, rawInputContents: raw } = scanInferRequest(requests.message(buffers, 1, 2));
  expect(inputs.map(({ name, shape }) => [name, [...shape]])).toEqual([
    ['size', [2, 2]],
    ['note', [2, 2]],
    ['fixed', [2]],
  ]);
  expect([...toNumbers('FP32', raw[0] as Buffer)]).toEqual([3, 4, 5, 6]);
  expect(decodeStrings(raw[1] as Buffer)).toEqual(['three', 'four', 'fünf', '6']);
  expect([...toNumbers('INT8', raw[2] as Buffer)]).toEqual([7, 7]);
});
