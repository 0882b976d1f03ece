import { rendezvousOwner } from './rendezvous';

const keys = Array.from({ length: 2000 }, (_, i) => `model_${i % 50}/${i}@${i}`);

test('nobody owns anything where there is nobody; one owns all', () => {
  expect(rendezvousOwner('m/1@g', [])).toBeUndefined();
  expect(keys.map((key) => rendezvousOwner(key, ['a']))).toEqual(keys.map(() => 'a'));
});

test('the owner does not depend on the order in which instances are known', () => {
  const instances = ['b-1', 'b-2', 'b-3', 'b-4'];
  for (const key of keys) expect(rendezvousOwner(key, instances.toReversed())).toBe(rendezvousOwner(key, instances));
});

test('each instance owns about its share', () => {
  const instances = ['b-1', 'b-2', 'b-3', 'b-4'];
  const counts = new Map<string | undefined, number>();
  for (const key of keys) {
    const owner = rendezvousOwner(key, instances);
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  for (const instance of instances) {
    expect(counts.get(instance)).toBeGreaterThan(400);
    expect(counts.get(instance)).toBeLessThan(600);
  }
});

test('an instance that goes moves only what it owned', () => {
  const kept = keys.filter((key) => rendezvousOwner(key, ['a', 'b', 'c']) !== 'b');
  const owners = (instances: string[]) => kept.map((key) => rendezvousOwner(key, instances));
  expect(owners(['a', 'c'])).toEqual(owners(['a', 'b', 'c']));
});
