import { Presence, beatMs, beatsToLose } from './presence';

let news: string[];
let presence: Presence;
let now: number;

beforeEach(() => {
  news = [];
  now = 0;
  presence = new Presence('me', (owner, lives) => news.push(`${lives ? '+' : '-'}${owner}`));
});

function ownBeats(count: number): void {
  for (let i = 0; i < count; i++) presence.beat('me', (now += beatMs));
}

test('who is not heard for some own beats is gone; who is heard again is back', () => {
  presence.beat('a', now);
  presence.here('b');
  ownBeats(beatsToLose - 1);
  presence.beat('b', now);
  expect(news).toEqual(['+a', '+b']);
  ownBeats(1);
  expect(news).toEqual(['+a', '+b', '-a']);
  expect([presence.lives('a'), presence.lives('b'), presence.lives('me'), presence.lives('x')]).toEqual([
    false,
    true,
    true,
    false,
  ]);
  presence.beat('a', now);
  expect(news.at(-1)).toBe('+a');
});

test('who is vouched for lives unheard, until nobody vouches any more or it says goodbye', () => {
  presence.beat('a', now);
  const ends = [presence.vouch('a'), presence.vouch('a')];
  ownBeats(2 * beatsToLose);
  expect(presence.lives('a')).toBe(true);
  ends[0]?.();
  ends[0]?.();
  expect([presence.lives('a'), presence.isVouched('a')]).toEqual([true, true]);
  ends[1]?.();
  expect([presence.lives('a'), news.at(-1)]).toEqual([false, '-a']);
  presence.beat('b', now);
  const end = presence.vouch('b');
  presence.left('b');
  expect([presence.lives('b'), news.at(-1)]).toEqual([false, '-b']);
  end();
  expect(news).toEqual(['+a', '-a', '-a', '+b', '-b']);
});

test('own beats that come all at once, and signs of life of its own, measure no time', () => {
  presence.beat('a', now);
  for (let i = 0; i < 3 * beatsToLose; i++) presence.beat('me', now);
  for (let i = 0; i < 3 * beatsToLose; i++) presence.here('me');
  expect(presence.lives('a')).toBe(true);
});

test('a new connection gives everybody the whole time again; a goodbye is believed at once', () => {
  presence.beat('a', now);
  presence.beat('b', now);
  ownBeats(beatsToLose - 1);
  presence.spareAll();
  ownBeats(beatsToLose - 1);
  presence.gone('b');
  presence.gone('b');
  expect(news).toEqual(['+a', '+b', '-b']);
});
