import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegionUse, Regions } from './regions';

let directory: string;
let regions: Regions;
let use: RegionUse;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'regions-'));
  mkdirSync(join(directory, 'shm'));
  writeFileSync(join(directory, 'shm', 'data'), Buffer.from('0123456789abcdef'));
  writeFileSync(join(directory, 'secret'), 'secret');
  regions = new Regions(join(directory, 'shm'));
  use = new RegionUse(regions, undefined);
});

afterEach(() => {
  use.release();
  regions.unregister('');
  rmSync(directory, { recursive: true });
});

test('bytes are read from and written to their place', () => {
  regions.register({ name: 'r', key: '/data', offset: 4, byteSize: 8 });
  expect(use.read({ region: 'r', offset: 2, byteSize: 3 }).toString()).toBe('678');
  use.reserve({ region: 'r', offset: 0, byteSize: 4 });
  use.write({ region: 'r', offset: 0, byteSize: 4 }, Buffer.from('XY'));
  expect(readFileSync(join(directory, 'shm', 'data')).toString()).toBe('0123XY6789abcdef');
});

test.each([
  ['/../secret', 'INVALID_ARGUMENT'],
  ['..', 'INVALID_ARGUMENT'],
  ['.', 'INVALID_ARGUMENT'],
  ['', 'INVALID_ARGUMENT'],
  ['/', 'INVALID_ARGUMENT'],
  ['//data', 'INVALID_ARGUMENT'],
  ['sub/data', 'INVALID_ARGUMENT'],
  ['data\0', 'INVALID_ARGUMENT'],
  ['x'.repeat(256), 'INVALID_ARGUMENT'],
  ['/shoal-runner', 'INVALID_ARGUMENT'],
  ['/missing', 'INTERNAL'],
  ['/link', 'INTERNAL'],
  ['/folder', 'INTERNAL'],
])('key %j opens nothing', (key, code) => {
  symlinkSync(join(directory, 'secret'), join(directory, 'shm', 'link'));
  mkdirSync(join(directory, 'shm', 'folder'));
  expect(() => regions.register({ name: 'r', key, offset: 0, byteSize: 1 })).toThrow(expect.objectContaining({ code }));
  expect(() => regions.register({ name: 'r', key, offset: 0, byteSize: 1 })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining(directory) as unknown }),
  );
  expect(regions.status('')).toEqual([]);
});

test.each([
  [0, 17],
  [16, 1],
  [17, 0],
  [2 ** 64, 1],
  [1, 2 ** 64],
])('offset %d and size %d lie outside the file', (offset, byteSize) => {
  expect(() => regions.register({ name: 'r', key: 'data', offset, byteSize })).toThrow(
    "failed to register shared memory region 'r': invalid args",
  );
});

test.each([
  [8, 1, "Invalid offset for shared memory region: 'r'"],
  [7, 2, "Invalid offset + byte size for shared memory region: 'r'"],
  [0, 9, "Invalid offset + byte size for shared memory region: 'r'"],
  [0, 2 ** 53, "Invalid offset + byte size for shared memory region: 'r'"],
])('offset %d and size %d lie outside the region', (offset, byteSize, message) => {
  regions.register({ name: 'r', key: 'data', offset: 0, byteSize: 8 });
  expect(() => use.read({ region: 'r', offset, byteSize })).toThrow(message);
  expect(() => use.reserve({ region: 'r', offset, byteSize })).toThrow(message);
});

test('a client that makes its file shorter gets an error', () => {
  regions.register({ name: 'r', key: 'data', offset: 0, byteSize: 16 });
  use.reserve({ region: 'r', offset: 8, byteSize: 8 });
  truncateSync(join(directory, 'shm', 'data'), 4);
  expect(() => use.read({ region: 'r', offset: 0, byteSize: 16 })).toThrow('Invalid offset + byte size');
  expect(() => use.write({ region: 'r', offset: 8, byteSize: 8 }, Buffer.alloc(8))).toThrow(
    'Invalid offset + byte size',
  );
  expect(readFileSync(join(directory, 'shm', 'data'))).toHaveLength(4);
});

test('names are unique, status tells, unregistering is never an error', () => {
  const spec = { name: 'r', key: '/data', offset: 0, byteSize: 8 };
  regions.register(spec);
  expect(() => regions.register(spec)).toThrow(
    expect.objectContaining({ code: 'ALREADY_EXISTS', message: "shared memory region 'r' already in manager" }),
  );
  expect(regions.status('')).toEqual([spec]);
  expect(regions.status('r')).toEqual([spec]);
  expect(() => regions.status('s')).toThrow("Unable to find system shared memory region: 's'");
  regions.unregister('s');
  regions.unregister('r');
  expect(regions.status('')).toEqual([]);
  expect(() => use.read({ region: 'r', offset: 0, byteSize: 1 })).toThrow("Unable to find shared memory region: 'r'");
});

test('a request keeps the regions of its outputs though they are unregistered, or registered anew, meanwhile', () => {
  writeFileSync(join(directory, 'shm', 'other'), 'other');
  regions.register({ name: 'r', key: 'data', offset: 0, byteSize: 4 });
  use.reserve({ region: 'r', offset: 0, byteSize: 4 });
  regions.unregister('r');
  regions.register({ name: 'r', key: 'other', offset: 0, byteSize: 4 });
  use.write({ region: 'r', offset: 0, byteSize: 4 }, Buffer.from('wxyz'));
  expect(
    readFileSync(join(directory, 'shm', 'data'))
      .subarray(0, 5)
      .toString(),
  ).toBe('wxyz4');
  expect(readFileSync(join(directory, 'shm', 'other')).toString()).toBe('other');
});
