import type { Clock } from '@shoal/core';

/** What a signal asks for: an orderly end, the same one once more, or an end without waiting for anybody. */
export type SignalMeaning = 'drain' | 'ignore' | 'exit';

/**
 * One Ctrl-C can arrive twice: from the terminal, which tells all of its foreground processes, and from `npm start`,
 * which passes on what it got. Nobody presses it twice within this time and means it.
 */
const sameCtrlCMs = 300;

/** Tells for each signal, as it comes, what it means. */
export function signalMeanings(clock: Pick<Clock, 'now'>): (signal: string) => SignalMeaning {
  let first: { readonly signal: string; readonly at: number } | undefined;
  return (signal) => {
    if (first === undefined) {
      first = { signal, at: clock.now() };
      return 'drain';
    }
    // A terminal that closes says so to everybody and once; and it is no impatience.
    if (signal === 'SIGHUP') return 'ignore';
    const echo = signal === 'SIGINT' && first.signal === 'SIGINT' && clock.now() - first.at < sameCtrlCMs;
    return echo ? 'ignore' : 'exit';
  };
}
