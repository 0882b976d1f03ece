import { Claims } from './claims';

let alive: Set<string>;
let news: unknown[][];
let claims: Claims;

beforeEach(() => {
  alive = new Set(['a', 'b', 'me']);
  news = [];
  claims = new Claims(
    (owner) => alive.has(owner),
    (key, value) => news.push([key, value]),
  );
});

const [one, two, three] = [{ n: 1 }, { n: 2 }, { n: 3 }];

test('the same announcement told again, or an older one, is no news', () => {
  claims.set('k', 'a', 5, one, 0);
  claims.set('k', 'a', 5, { n: 1 }, 0);
  claims.set('k', 'a', 4, two, 0);
  claims.set('k', 'a', 6, undefined, 0);
  claims.set('k', 'a', 5, one, 0);
  expect(news).toEqual([
    ['k', one],
    ['k', undefined],
  ]);
});

test('the last of those who live is believed', () => {
  claims.set('k', 'a', 1, one, 0);
  claims.set('k', 'b', 1, two, 0);
  alive.delete('b');
  claims.changed('b');
  alive.delete('a');
  claims.changed('a');
  alive.add('b');
  claims.changed('b');
  expect(news.map(([, value]) => value)).toEqual([one, two, one, undefined, two]);
});

test('who does not live is not shown, and known as hidden', () => {
  claims.set('k', 'x', 1, one, 0);
  claims.set('k2', 'y', 1, undefined, 0);
  expect(news).toEqual([]);
  expect([...claims.hidden()]).toEqual(['x']);
  alive.add('x');
  claims.changed('x');
  expect(news).toEqual([['k', one]]);
  expect(claims.hidden().size).toBe(0);
});

test('what was long not confirmed is forgotten, but never what is its own', () => {
  claims.set('k', 'a', 1, one, 0);
  claims.set('k2', 'b', 1, two, 0);
  claims.set('k3', 'me', 1, three, 0);
  claims.confirm('k2', 'b', 100);
  claims.forget(50, (owner) => owner === 'me');
  expect(news.slice(3)).toEqual([['k', undefined]]);
  expect(claims.known('k', 'a')).toBeUndefined();
  expect(claims.known('k2', 'b')).toBe(1);
});
