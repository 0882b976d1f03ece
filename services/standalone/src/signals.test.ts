import { FakeClock } from '@shoal/testing';
import { signalMeanings } from './signals';

test('the first signal drains, the second one ends', () => {
  const meaning = signalMeanings(new FakeClock());
  expect(['SIGTERM', 'SIGTERM'].map(meaning)).toEqual(['drain', 'exit']);
});

test('a Ctrl-C that comes twice at once is one; a later one ends', () => {
  const clock = new FakeClock();
  const meaning = signalMeanings(clock);
  expect(['SIGINT', 'SIGINT'].map(meaning)).toEqual(['drain', 'ignore']);
  clock.advance(300);
  expect(meaning('SIGINT')).toBe('exit');
});

test('SIGTERM right after Ctrl-C is not its echo, a closed terminal is no second wish', () => {
  expect(['SIGINT', 'SIGTERM'].map(signalMeanings(new FakeClock()))).toEqual(['drain', 'exit']);
  expect(['SIGHUP', 'SIGHUP', 'SIGTERM'].map(signalMeanings(new FakeClock()))).toEqual(['drain', 'ignore', 'exit']);
  expect(['SIGTERM', 'SIGHUP'].map(signalMeanings(new FakeClock()))).toEqual(['drain', 'ignore']);
});
