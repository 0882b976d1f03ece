import assert from 'node:assert';
import { fstatSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@shoal/testing';
import { SharedFile, firstBlock } from './shared-file';
import { SharedMemoryBudget, sharedMemoryBudget } from './shared-memory-budget';

const kb = 1024;
let folder: string;
let clock: FakeClock;
let budget: SharedMemoryBudget;
let file: SharedFile;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shared-'));
  clock = new FakeClock();
  budget = new SharedMemoryBudget(400 * kb, folder);
  file = new SharedFile(clock, budget);
});

afterEach(() => {
  file.close();
  assert.equal(budget.taken, 0);
  assert.equal(clock.pending, 0);
  rmSync(folder, { recursive: true });
});

const put = (length: number) => file.put([Buffer.alloc(length, 1)], length);

test('the file has no name any more: nothing can be left behind', () => {
  put(100 * kb);
  expect(readdirSync(folder)).toEqual([]);
  expect(fstatSync(file.fd)).toMatchObject({ nlink: 0, size: firstBlock + 100 * kb });
});

test('pieces lie one after the other behind the nonce', () => {
  const block = file.put([Buffer.from('some '), Buffer.from('bytes')], 10);
  const content = readFileSync(`/proc/self/fd/${file.fd}`);
  expect(content.subarray(0, 16)).toEqual(file.nonce);
  expect(content.toString('latin1', block?.offset, (block?.offset ?? 0) + 10)).toBe('some bytes');
});

test('what does not fit is not taken; what was freed is used again', () => {
  const first = put(200 * kb);
  expect(put(200 * kb)).toBeUndefined();
  expect(put(100 * kb)).toBeDefined();
  expect(file.free(first?.offset ?? 0)).toBe(true);
  expect(file.free(first?.offset ?? 0)).toBe(false);
  expect(put(150 * kb)?.offset).toBe(first?.offset);
});

test('all files together stay within the budget', () => {
  const other = new SharedFile(clock, budget);
  expect(put(200 * kb)).toBeDefined();
  expect(other.put([Buffer.alloc(250 * kb)], 250 * kb)).toBeUndefined();
  expect(other.put([Buffer.alloc(150 * kb)], 150 * kb)).toBeDefined();
  other.close();
  expect(put(150 * kb)).toBeDefined();
});

test('memory is given back when no block was written for a while', () => {
  const first = put(200 * kb);
  file.free(first?.offset ?? 0);
  clock.advance(4000);
  const second = put(100 * kb);
  file.free(second?.offset ?? 0);
  clock.advance(1000);
  expect(budget.taken).toBeGreaterThan(200 * kb - 1);
  clock.advance(5000);
  expect(budget.taken).toBe(0);
  expect(fstatSync(file.fd).size).toBe(firstBlock);
  const third = put(300 * kb);
  clock.advance(20_000);
  expect(budget.taken).toBeGreaterThan(300 * kb - 1);
  expect(fstatSync(file.fd).size).toBe(firstBlock + 300 * kb);
  expect(third?.offset).toBe(firstBlock);
});

test('a memory that refuses the bytes is full', () => {
  const full = new SharedFile(clock, new SharedMemoryBudget(10_000_000, '/dev/shm'));
  // As ENOSPC does: the system call fails, here for a piece that is none.
  const bad = { byteLength: 100 } as Uint8Array;
  expect(full.put([bad], 100)).toBeUndefined();
  expect(full.put([Buffer.alloc(100)], 100)?.offset).toBe(firstBlock);
  full.close();
});

test('there is no budget without shared memory, and none of nothing', () => {
  expect(sharedMemoryBudget(1000, join(folder, 'missing'))).toBeUndefined();
  expect(sharedMemoryBudget(0)).toBeUndefined();
  expect(sharedMemoryBudget(1000)?.limit).toBe(1000);
  expect(sharedMemoryBudget(2 ** 50)?.limit).toBeLessThan(2 ** 50);
  expect(() => new SharedFile(clock, new SharedMemoryBudget(1000, join(folder, 'missing')))).toThrow('ENOENT');
});
