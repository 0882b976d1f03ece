import * as fc from 'fast-check';
import { type Due, DueHeap } from './due-heap';

class Item implements Due {
  dueAt = Infinity;
  heapIndex = -1;
}

test('in any history the first is the earliest of those inside', () => {
  const step = fc.record({ item: fc.nat(19), at: fc.option(fc.integer({ min: 0, max: 50 }), { nil: Infinity }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const items = Array.from({ length: 20 }, () => new Item());
      const heap = new DueHeap<Item>();
      for (const { item, at } of steps) {
        heap.update(items[item] as Item, at);
        const inside = items.filter(({ dueAt }) => dueAt !== Infinity);
        expect(heap.size).toBe(inside.length);
        expect(heap.first?.dueAt ?? Infinity).toBe(Math.min(Infinity, ...inside.map(({ dueAt }) => dueAt)));
        expect(items.filter(({ heapIndex }) => heapIndex >= 0)).toHaveLength(inside.length);
      }
      let last = -1;
      for (let first = heap.first; first; first = heap.first) {
        expect(first.dueAt).toBeGreaterThanOrEqual(last);
        last = first.dueAt;
        heap.delete(first);
      }
      expect(heap.size).toBe(0);
    }),
  );
});
