import { BatchMemory } from './batch-memory';

const kb = 1024;

function buffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer as ArrayBuffer;
}

test('what was given back is taken again, by what is of about its size', () => {
  const memory = new BatchMemory();
  const first = memory.take(600 * kb);
  expect([first.byteLength, first.byteOffset % 8]).toEqual([600 * kb, 0]);
  const second = memory.take(600 * kb);
  expect(buffer(second)).not.toBe(buffer(first));
  memory.give(buffer(first));
  expect(buffer(memory.take(200 * kb))).not.toBe(buffer(first));
  expect(buffer(memory.take(700 * kb))).not.toBe(buffer(first));
  expect(buffer(memory.take(500 * kb))).toBe(buffer(first));
  expect(memory.idleBytes).toBe(0);
});

test('of several the smallest that fits is taken', () => {
  const memory = new BatchMemory();
  const [large, small] = [memory.take(900 * kb), memory.take(600 * kb)];
  memory.give(buffer(large));
  memory.give(buffer(small));
  expect(buffer(memory.take(500 * kb))).toBe(buffer(small));
  expect(buffer(memory.take(500 * kb))).toBe(buffer(large));
});

test('what is kept is bounded, in number and in bytes; the oldest goes', () => {
  const memory = new BatchMemory();
  const taken = Array.from({ length: 10 }, () => memory.take(100 * kb));
  for (const bytes of taken) memory.give(buffer(bytes));
  const again = Array.from({ length: 9 }, () => buffer(memory.take(100 * kb)));
  expect(again.slice(0, 8)).toEqual(taken.slice(2).map(buffer));
  expect(taken.map(buffer)).not.toContain(again[8]);
  for (let i = 0; i < 4; i += 1) memory.give(new ArrayBuffer(30 * kb * kb));
  expect(memory.idleBytes).toBe(60 * kb * kb);
  memory.give(new ArrayBuffer(65 * kb * kb));
  expect(memory.idleBytes).toBe(60 * kb * kb);
});

test('small memory is fresh and zeroed, and not kept', () => {
  const memory = new BatchMemory();
  const small = memory.take(100);
  expect([small.byteLength, small.byteOffset, small.every((byte) => byte === 0)]).toEqual([100, 0, true]);
  memory.give(buffer(small));
  expect(memory.idleBytes).toBe(0);
});
