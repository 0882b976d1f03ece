import { seededRandom } from '@shoal/core';
import { CallList, type Listed } from './call-list';

class Item implements Listed<Item> {
  listPrevious: Item | null = null;
  listNext: Item | null = null;
}

test('it holds what was added and not deleted', () => {
  const random = seededRandom(4);
  const list = new CallList<Item>();
  const model = new Set<Item>();
  for (let i = 0; i < 2000; i += 1) {
    const items = [...model];
    const some = items[Math.floor(random.next() * items.length)];
    if (some === undefined || random.next() < 0.52) {
      const item = new Item();
      list.add(item);
      model.add(item);
    } else {
      list.delete(some);
      model.delete(some);
    }
    expect(list.size).toBe(model.size);
  }
  expect(new Set(list.toArray())).toEqual(model);
  for (const item of list.toArray()) list.delete(item);
  expect([list.size, list.toArray()]).toEqual([0, []]);
});
