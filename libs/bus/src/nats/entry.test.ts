import { Assembly, toEntries } from './entry';
import { decodeToken, encodeToken } from './names';

const large = (fill: number) => Buffer.alloc(1_200_000, fill);

test('values of any size come back, the large ones in pieces below what a server carries', () => {
  for (const value of [Buffer.alloc(0), Buffer.from('\n{"a":1}\n'), large(1), undefined]) {
    const entries = toEntries('me', 'a/b.c', 7, value);
    for (const { key, bytes } of entries) {
      expect(key).toMatch(/^me\.[-/_=.a-zA-Z0-9]+$/);
      expect(bytes.length).toBeLessThan(1024 * 1024);
    }
    const assembly = new Assembly();
    const arrived = entries.map(({ key, bytes }) => assembly.take(key, bytes));
    expect(arrived.pop()).toEqual({ owner: 'me', key: 'a/b.c', number: 7, value });
    expect(arrived.every((nothing) => nothing === undefined)).toBe(true);
  }
});

test('an announcement whose pieces a later one has overwritten waits for that one', () => {
  const old = toEntries('me', 'k', 1, large(1));
  const later = toEntries('me', 'k', 2, large(2));
  const assembly = new Assembly();
  // What stands when a watch begins while the later one is half written.
  const stands = [...old.slice(1, -1), old.at(-1)!];
  expect([later[0]!, ...stands].map(({ key, bytes }) => assembly.take(key, bytes)).filter(Boolean)).toEqual([]);
  const rest = [...later.slice(0, -1), later.at(-1)!].map(({ key, bytes }) => assembly.take(key, bytes));
  expect(rest.at(-1)).toMatchObject({ number: 2, value: large(2) });
});

test('what no bus writes is nothing', () => {
  const assembly = new Assembly();
  for (const key of ['', 'a', 'a.b.c.d', 'a.%', 'a.b', 'a.b.-1', 'a.b.999999999', 'a.b.x']) {
    for (const text of ['', '\n', 'x 0\n', '1 99\n', '1.5 0\n', '{}', '1 -1 '.repeat(20)]) {
      expect(assembly.take(key, Buffer.from(text))).toBeUndefined();
    }
  }
});

test('any text is one token, and comes back', () => {
  for (const text of ['', 'runners/a-1_b', 'a.b c*>=%', 'é\u0000\ud83d\ude00', '=', '=41']) {
    expect(encodeToken(text)).toMatch(/^[\w=-]+$/);
    expect(decodeToken(encodeToken(text))).toBe(text);
  }
  for (const token of ['', 'a b', '=4', '=zz', 'a/b']) expect(decodeToken(token)).toBeUndefined();
});
