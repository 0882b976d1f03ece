import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FilePart, type MessageBytes, wholeBytes } from '@shoal/link';
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

const scan = (response: MessageBytes) => scanInferResponse(Buffer.from(wholeBytes(response)));

const parts = [
  { index: 0, shape: [1, 2], bytes: bytesOf(Float32Array.of(0.25, 0.75)) },
  { index: 1, shape: [1, 2], bytes: Uint8Array.of(1, 0) },
];

test('all outputs by default; those that were wanted otherwise, as tensors or classes', () => {
  const build = responseBuilder(signature, { a: ['no', 'yes'] }, 1000);
  const all = scan(build('id-1', parts, []));
  expect(all).toMatchObject({ modelName: 'm', modelVersion: '3', id: 'id-1' });
  expect(all.outputs.map(({ name }) => name)).toEqual(['a', 'b']);
  const top = scan(build('', parts, [{ index: 0, classification: 1 }]));
  expect(top.outputs).toMatchObject([{ name: 'a', datatype: 'BYTES', shape: [1, 1] }]);
  expect(top.rawOutputContents[0]?.subarray(4).toString()).toBe('0.750000:1:yes');
});

test('each answer tells its own shapes, whatever the one before had', () => {
  const build = responseBuilder(signature, {}, 1000);
  const rows = (count: number) => [
    { index: 0, shape: [count, 2], bytes: bytesOf(new Float32Array(2 * count)) },
    { index: 1, shape: [count, 2], bytes: new Uint8Array(2 * count) },
  ];
  for (const count of [1, 1, 3, 1]) {
    const shapes = scan(build('', rows(count), [])).outputs.map(({ shape }) => shape);
    expect(shapes).toEqual([
      [count, 2],
      [count, 2],
    ]);
  }
});

test('a large output is a piece of the response as it is', () => {
  const large = new Uint8Array(100_000).fill(3);
  const build = responseBuilder(signature, {}, 1_000_000);
  const response = build('', [{ index: 0, shape: [12_500, 2], bytes: large }, parts[1]!], []);
  expect(Array.isArray(response) && response.includes(large)).toBe(true);
  expect(scan(response).rawOutputContents.map((bytes) => [bytes.length, bytes[0]])).toEqual([
    [100_000, 3],
    [2, 1],
  ]);
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

describe('an output that the client wants in its own memory', () => {
  let folder: string;
  let path: string;
  let fd: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'place-'));
    path = join(folder, 'memory');
    writeFileSync(path, Buffer.alloc(32));
    fd = openSync(path, 'r+');
  });

  afterEach(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  function wanted(byteLength: number, change: object = {}) {
    const { dev: device, ino: inode } = fstatSync(fd);
    const file = new FilePart({ fd, device, inode, offset: 8, byteLength, ...change }, false);
    file.bind(process.pid);
    return [
      { index: 0, classification: 0, place: { file, region: 'r', offset: 4 } },
      { index: 1, classification: 0 },
    ];
  }

  const build = responseBuilder(signature, {}, 1000);

  test('is written there, and the response tells how much', () => {
    const response = scan(build('', parts, wanted(16)));
    expect(response.rawOutputContents.map((bytes) => [...bytes])).toEqual([[], [1, 0]]);
    expect([...(response.outputs[0]?.parameters ?? [])]).toEqual([
      ['shared_memory_region', { kind: 'string', value: 'r' }],
      ['shared_memory_byte_size', { kind: 'int64', value: 8 }],
      ['shared_memory_offset', { kind: 'int64', value: 4 }],
    ]);
    const content = readFileSync(path);
    expect([content.readFloatLE(4), content.readFloatLE(8), content.readFloatLE(12), content.readFloatLE(16)]).toEqual([
      0, 0.25, 0.75, 0,
    ]);
  });

  test.each([
    ['more than its place', () => wanted(7), 'INTERNAL'],
    ['another file by now', () => wanted(8, { inode: 1 }), 'INTERNAL'],
    ['closed by now', () => wanted(8, { fd: 1_000_000 }), 'INTERNAL'],
    [
      'shorter by now',
      () => {
        truncateSync(path, 12);
        return wanted(8);
      },
      'INVALID_ARGUMENT',
    ],
  ])('but is %s fails alone, and writes nothing', (_name, outputs, code) => {
    expect(() => build('', parts, outputs())).toThrow(expect.objectContaining({ code }));
    expect(readFileSync(path).every((byte) => byte === 0)).toBe(true);
  });
});
