import { createHash } from 'node:crypto';
import { key } from './key';

function made(...argv: string[]): { key: string; entry: Record<string, string>; text: string } {
  let text = '';
  key(argv, { env: {}, print: (line) => (text += line) });
  const found = /^ {2}(shoal_\S+)$/m.exec(text)?.[1] ?? '';
  return { key: found, entry: JSON.parse(/^ {2}(\{.*\})$/m.exec(text)?.[1] ?? '{}') as Record<string, string>, text };
}

test('a key, once, and its entry: the digest is of the whole key', () => {
  const one = made('--id', '2026-11', '--expires', '2027-12-31');
  expect(one.key).toMatch(/^shoal_2026-11_[0-9A-Za-z]{43}$/);
  const sha256 = createHash('sha256').update(one.key).digest('hex');
  expect(one.entry).toEqual({ id: '2026-11', sha256, expires: '2027-12-31' });
  expect(one.text.split(one.key)).toHaveLength(2);
});

test('no two are alike, and each has a name', () => {
  const [a, b] = [made(), made()];
  expect(a.key).not.toBe(b.key);
  expect(a.key).toMatch(new RegExp(`^shoal_${a.entry['id']}_`));
  expect(a.entry).not.toHaveProperty('expires');
});

test.each([
  [['--id', 'a b'], '--id=a b: expected up to 64 letters'],
  [['--expires', '2027-02-31'], '--expires=2027-02-31: expected a date'],
])('%j is refused', (argv, message) => {
  expect(() => made(...argv)).toThrow(message);
});
