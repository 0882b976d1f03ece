import { MessagePool, minPooledBytes } from './message-pool';

test('a buffer has exactly the length asked for, whatever lies behind it', () => {
  const pool = new MessagePool();
  for (const length of [0, 1, 4096, minPooledBytes - 1, minPooledBytes, minPooledBytes + 1, 600_000, 1 << 20]) {
    const buffer = pool.take(length);
    expect(Buffer.isBuffer(buffer)).toBe(true);
    expect(buffer).toHaveLength(length);
    expect(buffer.subarray()).toHaveLength(length);
  }
});

test('what is given back is used again, for any length of its power of two', () => {
  const pool = new MessagePool();
  const first = pool.take(600_000);
  pool.give(first);
  expect(pool.idleBytes).toBe(1 << 20);
  const second = pool.take(524_289);
  expect(second.buffer).toBe(first.buffer);
  expect(second).toHaveLength(524_289);
  expect(pool.idleBytes).toBe(0);
  expect(pool.take(524_289).buffer).not.toBe(first.buffer);
});

test('given back twice it is lent once', () => {
  const pool = new MessagePool();
  const buffer = pool.take(100_000);
  pool.give(buffer.subarray(5));
  pool.give(buffer);
  expect(pool.take(100_000).buffer).not.toBe(pool.take(100_000).buffer);
});

test("others' buffers and transferred ones are left alone, and the idle memory is bounded", () => {
  const pool = new MessagePool(300_000);
  pool.give(Buffer.alloc(100_000));
  pool.give(Buffer.from('small'));
  expect(pool.idleBytes).toBe(0);
  const transferred = pool.take(100_000);
  structuredClone(transferred.buffer, { transfer: [transferred.buffer as ArrayBuffer] });
  pool.give(transferred);
  expect(pool.idleBytes).toBe(0);
  const buffers = Array.from({ length: 5 }, () => pool.take(131_072));
  for (const buffer of buffers) pool.give(buffer);
  expect(pool.idleBytes).toBe(2 * 131_072);
});
