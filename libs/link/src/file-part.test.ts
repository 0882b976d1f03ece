import assert from 'node:assert';
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FilePart, type FilePartFields } from './file-part';

const openFiles = () => readdirSync('/proc/self/fd').length;
let folder: string;
let path: string;
let fd: number;
let filesBefore: number;
let fields: FilePartFields;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'part-'));
  path = join(folder, 'memory');
  writeFileSync(path, '0123456789abcdef');
  fd = openSync(path, 'r+');
  const { dev: device, ino: inode } = fstatSync(fd);
  fields = { fd, device, inode, offset: 4, byteLength: 6 };
  filesBefore = openFiles();
});

afterEach(() => {
  assert.equal(openFiles(), filesBefore);
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** As the other process has it: here the same one. */
function received(change: Partial<FilePartFields> = {}): FilePart {
  const part = new FilePart({ ...fields, ...change }, false);
  part.bind(process.pid);
  return part;
}

function read(part: FilePart): string {
  const target = Buffer.alloc(8, '.');
  part.readInto(target, 1);
  return target.toString();
}

test('the sender reads it by its own descriptor, which it keeps', () => {
  const part = new FilePart(fields, true);
  expect(read(part)).toBe('.456789.');
  part.release();
  expect(read(part)).toBe('.456789.');
});

test('the receiver opens the file, also one that has no name any more', () => {
  unlinkSync(path);
  const part = received();
  expect(part.open('read')).toBe(true);
  expect(part.open('read')).toBe(true);
  expect(read(part)).toBe('.456789.');
  part.release();
  part.release();
  expect(() => read(part)).toThrow('shared memory became shorter');
});

test('what was opened stays the same file when the sender closes its own', () => {
  const part = received();
  part.open('read');
  closeSync(fd);
  fd = openSync('/dev/null', 'r');
  expect(read(part)).toBe('.456789.');
  part.release();
});

test.each([
  ['another file by now', { inode: 1 }],
  ['on another device', { device: 1 }],
  ['no file', { fd: 0 }],
  ['not open', { fd: 1_000_000 }],
])('%s is not opened', (_name, change) => {
  expect(received(change).open('read')).toBe(false);
});

test('one that was not received from anybody is not opened', () => {
  expect(new FilePart(fields, false).open('read')).toBe(false);
});

test('a file made shorter is an error to read, and is not made longer by writing', () => {
  const part = received();
  part.open('write');
  expect(part.write(Buffer.from('AB'))).toBe(true);
  expect(() => part.write(Buffer.from('1234567'))).toThrow(RangeError);
  truncateSync(path, 9);
  expect(() => read(part)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  expect(part.write(Buffer.from('CDEFGH'))).toBe(false);
  expect(readFileSync(path).toString()).toBe('0123AB678');
  part.release();
});
