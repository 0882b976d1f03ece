import * as fc from 'fast-check';
import { SortedList } from './sorted-list';

const ascending = (a: number, b: number) => a < b;

function contents(list: SortedList<number>): number[] {
  const items: number[] = [];
  list.scan((item) => items.push(item) > 0);
  return items;
}

test('any history of insertions and removals leaves what an array sorted each time would hold', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ insert: fc.integer({ min: 0, max: 100_000 }) }) },
    { weight: 2, arbitrary: fc.record({ removeAt: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 90 }) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => {
      const list = new SortedList<number>(ascending);
      let model: number[] = [];
      const answers: unknown[] = [];
      const expected: unknown[] = [];
      for (const each of steps) {
        if ('insert' in each) {
          if (model.includes(each.insert)) continue;
          list.insert(each.insert);
          model = [...model, each.insert].toSorted((a, b) => a - b);
        } else if ('take' in each) {
          answers.push(list.takeFirst(each.take));
          expected.push(model.splice(0, each.take));
        } else if (model.length > 0) {
          const item = model.splice(each.removeAt % model.length, 1)[0] as number;
          answers.push(list.remove(item), list.remove(item));
          expected.push(true, false);
        }
        answers.push(list.size);
        expected.push(model.length);
      }
      expect(answers).toEqual(expected);
      expect(contents(list)).toEqual(model);
    }),
    { numRuns: 200 },
  );
});

test('rising items fill many chunks and leave in order', () => {
  const list = new SortedList<number>(ascending);
  for (let i = 0; i < 1000; i += 1) list.insert(i);
  for (let i = 0; i < 1000; i += 7) list.remove(i);
  list.insert(0.5);
  list.insert(500.5);
  const left = contents(list);
  expect(left).toHaveLength(859);
  expect(left).toEqual(left.toSorted((a, b) => a - b));
  expect(list.takeFirst(2000)).toEqual(left);
  expect(list.size).toBe(0);
});

test('a scan stops when told to', () => {
  const list = new SortedList<number>(ascending);
  for (let i = 0; i < 200; i += 1) list.insert(i);
  const seen: number[] = [];
  list.scan((item) => seen.push(item) < 3);
  expect(seen).toEqual([0, 1, 2]);
});
