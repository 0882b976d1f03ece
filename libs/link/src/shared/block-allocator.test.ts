import assert from 'node:assert';
import * as fc from 'fast-check';
import { BlockAllocator } from './block-allocator';

const kb = 1024;

test('blocks lie apart, within the range, at whole granules from its start', () => {
  const allocator = new BlockAllocator(1000, 1000 + 64 * kb);
  expect(allocator.allocate(1)).toBe(1000);
  expect(allocator.allocate(4096)).toBe(1000 + 4096);
  expect(allocator.allocate(4097)).toBe(1000 + 2 * 4096);
  expect(allocator.allocate(1)).toBe(1000 + 4 * 4096);
  expect(allocator).toMatchObject({ used: 5 * 4096, blocks: 4 });
});

test('the lowest gap that is large enough is taken, and neighbours join', () => {
  const allocator = new BlockAllocator(0, 5 * 4096);
  const offsets = [1, 1, 1, 1, 1].map((length) => allocator.allocate(length));
  expect(offsets).toEqual([0, 4096, 8192, 12288, 16384]);
  expect(allocator.allocate(1)).toBeUndefined();
  expect([4096, 12288, 8192].map((offset) => allocator.free(offset))).toEqual([true, true, true]);
  expect(allocator.allocate(3 * 4096 + 1)).toBeUndefined();
  expect(allocator.allocate(3 * 4096)).toBe(4096);
});

test('what is not there cannot be freed', () => {
  const allocator = new BlockAllocator(0, 64 * kb);
  allocator.allocate(5000);
  expect([4096, 1, 8192].map((offset) => allocator.free(offset))).toEqual([false, false, false]);
  expect([allocator.free(0), allocator.free(0)]).toEqual([true, false]);
});

test('an empty range holds nothing', () => {
  expect(new BlockAllocator(4096, 4096).allocate(1)).toBeUndefined();
  expect(new BlockAllocator(4096, 10).allocate(1)).toBeUndefined();
});

test('in any history blocks never overlap, and all is one gap again at the end', () => {
  const size = 100 * 4096;
  const step = fc.oneof(fc.record({ allocate: fc.integer({ min: 1, max: 20 * 4096 }) }), fc.record({ free: fc.nat() }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const allocator = new BlockAllocator(1024, 1024 + size);
      const live: { offset: number; length: number }[] = [];
      for (const one of steps) {
        if ('free' in one) {
          const gone = live.splice(live.length > 0 ? one.free % live.length : 0, 1);
          assert.ok(gone.every(({ offset }) => allocator.free(offset)));
          continue;
        }
        const length = one.allocate;
        const offset = allocator.allocate(length);
        if (offset === undefined) continue;
        expect(offset).toBeGreaterThanOrEqual(1024);
        expect(offset + length).toBeLessThanOrEqual(1024 + size);
        for (const other of live) {
          expect(offset + length <= other.offset || other.offset + other.length <= offset).toBe(true);
        }
        live.push({ offset, length });
      }
      expect(allocator.blocks).toBe(live.length);
      for (const { offset } of live) allocator.free(offset);
      expect(allocator.used).toBe(0);
      expect(allocator.allocate(size)).toBe(1024);
    }),
  );
});
