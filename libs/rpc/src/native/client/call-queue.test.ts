import { seededRandom } from '@shoal/core';
import { CallQueue, type Queued } from './call-queue';

class Item implements Queued<Item> {
  queue: CallQueue<Item> | null = null;
  queuePrevious: Item | null = null;
  queueNext: Item | null = null;
}

test.each([1, 2, 3, 4, 5])('it does what a list does (seed %i)', (seed) => {
  const random = seededRandom(seed);
  const queue = new CallQueue<Item>();
  const model: Item[] = [];
  for (let i = 0; i < 300; i += 1) {
    const what = random.next();
    const item = new Item();
    let [got, wanted]: (Item | null)[] = [null, null];
    if (what < 0.4) {
      queue.push(item);
      model.push(item);
    } else if (what < 0.5) {
      queue.putBack(item);
      model.unshift(item);
    } else if (what < 0.75) {
      [got, wanted] = [queue.shift(), model.shift() ?? null];
    } else if (model.length > 0) {
      [got] = model.splice(Math.floor(random.next() * model.length), 1) as [Item];
      queue.delete(got);
      wanted = got;
    }
    expect(got).toBe(wanted);
    expect(got ?? new Item()).toEqual(new Item()); // it holds on to nobody
    expect(queue.size).toBe(model.length);
  }
  for (const item of model) expect(queue.shift()).toBe(item);
  expect(queue.shift()).toBeNull();
});
