import { ShoalError } from '@shoal/core';
import type { ModelSignature, TensorSpec } from '@shoal/protocol';
import { bytesOf, encodeStrings, tensorArray } from '@shoal/tensor';
import { BatchMemory } from './batch-memory';
import { type MemberInputs, gatherFeeds } from './gather';

const spec = (name: string, datatype: TensorSpec['datatype'], dims: number[], modelDims = dims): TensorSpec => ({
  name,
  datatype,
  dims,
  modelDims,
  optional: false,
  ragged: false,
});

const signature: ModelSignature = {
  model: 'm',
  version: '1',
  maxBatchSize: 8,
  inputs: [spec('a', 'INT32', [-1]), spec('s', 'BYTES', [1], [])],
  outputs: [],
  fixedShapes: false,
  decoupled: false,
};

const fed = new Set([0, 1]);

function gather(model: ModelSignature, taken: ReadonlySet<number>, present: readonly MemberInputs[]) {
  return gatherFeeds(model, taken, present, new BatchMemory());
}

function member(index: number, values: number[][], text: string[]) {
  const rows = values.length;
  return {
    member: index,
    rows,
    inputs: [
      { index: 0, shape: [rows, values[0]?.length ?? 0], bytes: bytesOf(Int32Array.from(values.flat())) },
      { index: 1, shape: [rows, 1], bytes: encodeStrings(text) },
    ],
  };
}

test('rows follow one another, strings too; a reshape applies; unaligned bytes do no harm', () => {
  const first = member(0, [[1, 2]], ['x']);
  const odd = new Uint8Array(17);
  odd.set(bytesOf(Int32Array.of(3, 4, 5, 6)), 1);
  const second = member(
    2,
    [
      [3, 4],
      [5, 6],
    ],
    ['y', 'é'],
  );
  const unaligned = { ...second.inputs[0], index: 0, shape: [2, 2], bytes: odd.subarray(1) };
  const { feeds, members, rows, faults } = gather(signature, fed, [
    first,
    { ...second, inputs: [unaligned, ...second.inputs.slice(1)] },
  ]);
  expect([members, rows, faults]).toEqual([[0, 2], [1, 2], []]);
  expect(feeds.map(({ name, type, dims }) => ({ name, type, dims }))).toEqual([
    { name: 'a', type: 'int32', dims: [3, 2] },
    { name: 's', type: 'string', dims: [3] },
  ]);
  expect([...tensorArray('INT32', feeds[0]?.data as Uint8Array)]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(feeds[1]?.data).toEqual(['x', 'y', 'é']);
});

test('a member that does not fit is left out with its reason, the others run', () => {
  const good = member(0, [[1, 2]], ['x']);
  const short = member(1, [[1, 2]], ['x']);
  const cut = { ...short, inputs: [{ index: 0, shape: [1, 2], bytes: new Uint8Array(7) }, ...short.inputs.slice(1)] };
  const manyStrings = member(2, [[1, 2]], ['x', 'y']);
  const otherShape = member(3, [[1, 2, 3]], ['x']);
  const wrongRows = { ...member(4, [[1, 2]], ['x']), rows: 2 };
  const unknown = { ...good, member: 5, inputs: [{ index: 9, shape: [1], bytes: new Uint8Array(0) }] };
  const lacking = { ...good, member: 6, inputs: good.inputs.slice(0, 1) };
  const { members, faults } = gather(signature, fed, [good, cut, manyStrings, otherShape, wrongRows, unknown, lacking]);
  expect(members).toEqual([0]);
  expect(faults.map(({ member: at, code }) => [at, code])).toEqual([
    [1, 'INVALID_ARGUMENT'],
    [2, 'INVALID_ARGUMENT'],
    [3, 'INTERNAL'],
    [4, 'INVALID_ARGUMENT'],
    [5, 'INTERNAL'],
    [6, 'INTERNAL'],
  ]);
  expect(faults[0]?.message).toBe("input byte size mismatch for input 'a' for model 'm'. Expected 8, got 7");
});

test('bytes elsewhere are read into their place; a member whose bytes are gone is left out, the others run', () => {
  const read: number[] = [];
  const remote = (index: number, values: number[], gone = false) => {
    const bytes = bytesOf(Int32Array.from(values));
    const readInto = (target: Uint8Array, at: number) => {
      read.push(index);
      if (gone) throw new ShoalError('INVALID_ARGUMENT', 'shared memory became shorter');
      target.set(bytes, at);
    };
    const inputs = [{ index: 0, shape: [1, 2], bytes: { byteLength: 8, readInto, release: () => undefined } }];
    return { member: index, rows: 1, inputs };
  };
  const numbers = { ...signature, inputs: signature.inputs.slice(0, 1) };
  const all = [remote(0, [1, 2]), remote(1, [3, 4], true), remote(2, [5, 6])];
  const { feeds, members, rows, faults } = gather(numbers, fed, all);
  expect(read).toEqual([0, 1, 0, 2]);
  expect([members, rows]).toEqual([
    [0, 2],
    [1, 1],
  ]);
  expect([...tensorArray('INT32', feeds[0]?.data as Uint8Array)]).toEqual([1, 2, 5, 6]);
  const message = "input 'a' for model 'm': shared memory became shorter";
  expect(faults).toEqual([{ member: 1, code: 'INVALID_ARGUMENT', message }]);
  expect(gather(numbers, fed, [remote(0, [1, 2], true)])).toMatchObject({ feeds: [], members: [], rows: [] });
});

test('large batches use memory again, and fill it', () => {
  const numbers = { ...signature, inputs: signature.inputs.slice(0, 1) };
  const memory = new BatchMemory();
  const one = (index: number, value: number) => {
    const bytes = bytesOf(new Int32Array(20_000).fill(value));
    return { member: index, rows: 1, inputs: [{ index: 0, shape: [1, 20_000], bytes }] };
  };
  const first = gatherFeeds(numbers, fed, [one(0, 1), one(1, 2)], memory).feeds[0]?.data as Uint8Array;
  memory.give(first.buffer as ArrayBuffer);
  const second = gatherFeeds(numbers, fed, [one(0, 3), one(1, 4)], memory).feeds[0]?.data as Uint8Array;
  expect(second.buffer).toBe(first.buffer);
  const values = [...tensorArray('INT32', second)];
  expect([values.length, values[0], values[19_999], values[20_000], values[39_999]]).toEqual([40_000, 3, 3, 4, 4]);
});

test('members like the first are held to what is right for the first', () => {
  const numbers = { ...signature, inputs: [spec('a', 'INT32', [2]), spec('b', 'INT32', [1])] };
  const of = (index: number, rows: number, change: Partial<MemberInputs['inputs'][number]> = {}) => ({
    member: index,
    rows,
    inputs: [
      { index: 0, shape: [rows, 2], bytes: bytesOf(new Int32Array(2 * rows).fill(index)), ...change },
      { index: 1, shape: [rows, 1], bytes: bytesOf(new Int32Array(rows).fill(index)) },
    ],
  });
  const turned = { ...of(2, 1), inputs: of(2, 1).inputs.toReversed() };
  const wrong = [
    of(3, 1, { bytes: new Uint8Array(7) }),
    of(4, 1, { shape: [2, 2] }),
    of(5, 1, { shape: [1, 1] }),
    of(6, 1, { index: 1 }),
    { ...of(7, 1), inputs: of(7, 1).inputs.slice(0, 1) },
  ];
  const { feeds, members, faults } = gather(numbers, fed, [of(0, 1), of(1, 3), turned, ...wrong]);
  expect(members).toEqual([0, 1, 2]);
  expect(faults.map(({ member: at }) => at)).toEqual([3, 4, 5, 6, 7]);
  expect([...tensorArray('INT32', feeds[0]?.data as Uint8Array)]).toEqual([0, 0, 1, 1, 1, 1, 1, 1, 2, 2]);
  expect([...tensorArray('INT32', feeds[1]?.data as Uint8Array)]).toEqual([0, 1, 1, 1, 2]);
  // Of no rows nothing can be told about others.
  const afterNone = gather(numbers, fed, [of(0, 0), of(1, 1, { bytes: new Uint8Array(7) }), of(2, 1)]);
  expect([afterNone.members, afterNone.faults.map(({ member: at }) => at)]).toEqual([[0, 2], [1]]);
});

test('an overflowing shape is refused before anything is allocated', () => {
  const huge = { ...member(0, [[1]], ['x']), inputs: [{ index: 0, shape: [1, 2 ** 52], bytes: new Uint8Array(4) }] };
  const { feeds, faults } = gather(signature, new Set([0]), [huge]);
  expect(feeds).toEqual([]);
  expect(faults).toMatchObject([{ code: 'INVALID_ARGUMENT' }]);
});

test('an input that the session does not take is refused, never ignored', () => {
  const { faults } = gather(signature, new Set([0]), [member(0, [[1]], ['x'])]);
  expect(faults).toMatchObject([{ member: 0, code: 'UNIMPLEMENTED' }]);
  expect(faults[0]?.message).toMatch(/input 's' of model 'm' cannot be given/);
});
