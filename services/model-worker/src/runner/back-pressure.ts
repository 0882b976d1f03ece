import type { Clock } from '@shoal/core';
import type { Link } from '@shoal/link';

/** Answers waiting in a link beyond this many bytes hold back the batch's end, and so the next grant. */
const highWaterBytes = 64 * 2 ** 20;

/** A router that has not taken its answers after this is given up; it offers its requests again elsewhere. */
const patienceMs = 10_000;

const pollMs = 5;

/** Calls `settled` once none of the links holds too much; at once in the usual case. */
export function settle(clock: Clock, links: readonly Link[], settled: () => void): void {
  if (links.every(isReady)) {
    settled();
    return;
  }
  const waiting = new Set(links);
  const until = clock.now() + patienceMs;
  const check = () => {
    for (const link of waiting) if (isReady(link)) waiting.delete(link);
    if (waiting.size > 0 && clock.now() < until) {
      clock.schedule(pollMs, check);
      return;
    }
    for (const link of waiting) void link.close();
    settled();
  };
  check();
}

function isReady(link: Link): boolean {
  return link.bufferedBytes <= highWaterBytes;
}
