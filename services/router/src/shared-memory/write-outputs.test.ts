import { type CheckedRequest, type ModelSignature, assembleInferResponse, scanInferResponse } from '@shoal/protocol';
import type { RegionUse } from './regions';
import { writeOutputs } from './write-outputs';

const spec = { datatype: 'UINT8', dims: [3], modelDims: [3], optional: false, ragged: false } as const;
const signature: ModelSignature = {
  model: 'm',
  version: '1',
  maxBatchSize: 0,
  inputs: [],
  outputs: [
    { ...spec, name: 'a' },
    { ...spec, name: 'b' },
  ],
  decoupled: false,
  fixedShapes: true,
};

const placeOf = (index: number) => ({ region: 'r', offset: 10 * index, byteSize: 5 });
const request: CheckedRequest = {
  requestId: 'id',
  inputs: [],
  outputs: [0, 1].map((index) => ({ index, classification: 0, sharedMemory: placeOf(index) })),
  sharedMemoryOutputs: true,
} as unknown as CheckedRequest;

const contents = Buffer.from([1, 2, 3]);
const here = { contents, parameters: new Map() };
/** As a runner says it of an output that it has written. */
const written = {
  contents: Buffer.alloc(0),
  parameters: new Map([
    ['shared_memory_region', { kind: 'string', value: 'r' }],
    ['shared_memory_byte_size', { kind: 'int64', value: 3 }],
  ] as const),
};

function answerOf(...outputs: (typeof here | typeof written)[]): Buffer {
  return assembleInferResponse({
    model: 'm',
    version: '1',
    id: 'id',
    outputs: outputs.map((output, i) => ({ name: 'ab'[i] as string, datatype: 'UINT8', shape: [3], ...output })),
  });
}

let writes: [offset: number, bytes: number[]][];
const regions = {
  write: ({ offset }: { offset: number }, bytes: Uint8Array) => writes.push([offset, [...bytes]]),
} as unknown as RegionUse;

beforeEach(() => {
  writes = [];
});

test.each([
  ['neither is there', [here, here], [0, 10]],
  ['the runner has written one', [written, here], [10]],
] as const)('outputs go to their places: %s', (_name, outputs, offsets) => {
  const view = scanInferResponse(writeOutputs(answerOf(...outputs), request, signature, regions));
  expect(writes).toEqual(offsets.map((offset) => [offset, [1, 2, 3]]));
  expect(view.rawOutputContents.map(({ length }) => length)).toEqual([0, 0]);
  expect(view.outputs.map(({ parameters }) => parameters.get('shared_memory_byte_size'))).toEqual([
    { kind: 'int64', value: 3 },
    { kind: 'int64', value: 3 },
  ]);
});

test('an answer whose outputs the runner has written passes as it is', () => {
  const answer = answerOf(written, written);
  expect(writeOutputs(answer, request, signature, regions)).toBe(answer);
  expect(writes).toEqual([]);
});
