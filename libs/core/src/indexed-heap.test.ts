import * as fc from 'fast-check';
import { type HeapItem, IndexedHeap } from './indexed-heap';

test('the first is the smallest, whatever was set, moved and deleted', () => {
  const step = fc.tuple(fc.nat({ max: 30 }), fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant(Infinity)));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new IndexedHeap<HeapItem>();
      const items = Array.from({ length: 31 }, (): HeapItem => ({ heapKey: Infinity, heapIndex: -1 }));
      const keys = new Map<number, number>();
      for (const [index, key] of steps) {
        heap.set(items[index] as HeapItem, key);
        if (key === Infinity) keys.delete(index);
        else keys.set(index, key);
        expect(heap.size).toBe(keys.size);
        expect(heap.firstKey).toBe(Math.min(Infinity, ...keys.values()));
      }
      const drained: number[] = [];
      for (let first = heap.first; first !== undefined; first = heap.first) {
        drained.push(first.heapKey);
        heap.delete(first);
      }
      expect(drained).toEqual([...keys.values()].toSorted((a, b) => a - b));
    }),
    { numRuns: 300 },
  );
});

test('deleting what is not in does nothing', () => {
  const heap = new IndexedHeap<HeapItem>();
  const item = { heapKey: 1, heapIndex: -1 };
  heap.delete(item);
  heap.set(item, 3);
  heap.delete(item);
  heap.delete(item);
  expect(heap.size).toBe(0);
});
