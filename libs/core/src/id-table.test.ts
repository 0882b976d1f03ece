import { IdTable } from './id-table';
import { seededRandom } from './random';

test('it does what a Map does, for ids of every pattern', () => {
  const seed = Number(process.env['SEED'] ?? 20_261_124);
  console.info(`seed ${seed}`);
  const random = seededRandom(seed);
  const patterns: ((i: number) => number)[] = [
    (i) => i,
    (i) => 2 * i + 1,
    (i) => 1024 * (i % 97),
    (i) => 2 ** 53 - 1 - (i % 300),
    () => Math.floor(random.next() * 200),
    () => Math.floor(random.next() * 2 ** 53),
  ];
  for (const pattern of patterns) {
    const table = new IdTable<{ readonly id: number }>();
    const map = new Map<number, { readonly id: number }>();
    const live: number[] = [];
    for (let i = 0; i < 20_000; i += 1) {
      const grows = random.next() < (Math.floor(i / 2000) % 2 === 0 ? 0.6 : 0.4);
      const oldest = live[Math.floor(random.next() * live.length)];
      if (grows || oldest === undefined) {
        const value = { id: pattern(i) };
        table.set(value.id, value);
        map.set(value.id, value);
        live.push(value.id);
      } else {
        live.splice(live.indexOf(oldest), 1);
        const deleted = table.delete(oldest);
        if (deleted !== map.delete(oldest)) throw new Error(`they differ after ${i} steps: ${oldest} was deleted`);
      }
      const asked = random.next() < 0.5 ? pattern(i) : (oldest ?? 0);
      if (table.get(asked) !== map.get(asked) || table.has(asked) !== map.has(asked) || table.size !== map.size) {
        throw new Error(`they differ after ${i} steps, at ${asked}`);
      }
    }
    expect(new Set(table.values())).toEqual(new Set(map.values()));
    table.clear();
    expect([table.size, table.values()]).toEqual([0, []]);
  }
});
