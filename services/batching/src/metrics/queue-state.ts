import type { ModelQueue } from '@shoal/scheduler';

/** Requests that wait in a queue, those that are to run again included. */
export function waiting({ plain, background }: ModelQueue): number {
  let count = 0;
  for (const lane of [plain, background]) {
    count += lane.waiting.size;
    for (const members of lane.pinned) count += members.length;
  }
  return count;
}

/** How long the oldest of them has waited, in milliseconds; 0 = none waits. Looks at each. */
export function oldestMs({ plain, background }: ModelQueue, now: number): number {
  let oldest = now;
  for (const lane of [plain, background]) {
    lane.waiting.scan(({ acceptedAt }) => {
      oldest = Math.min(oldest, acceptedAt);
      return true;
    });
    for (const { acceptedAt } of lane.pinned.flat()) oldest = Math.min(oldest, acceptedAt);
  }
  return now - oldest;
}
