import { seededRandom } from '@shoal/core';
import { type Fate, World } from '../test/world';
import type { Ticket } from '.';

/** A model and its load. Milliseconds. */
interface Case {
  /** Of a batch, and of each of its rows. */
  readonly alphaMs: number;
  readonly betaMs: number;
  readonly runners: number;
  /** Plain requests of one row, at random, a second. */
  readonly perSecond: number;
  /** Of each request in the background. */
  readonly rows: number;
}

/** Requests in the background that wait at a time. */
const flood = 8;
const refillMs = 5;

/** Runs the load for so long and says what plain requests took, sorted, and how many rows ran in the background. */
function simulate({ alphaMs, betaMs, runners, perSecond, rows }: Case, forMs: number, flooded: boolean) {
  const random = seededRandom(17);
  const world = World.withQueue({ dynamic: true, maxBatchSize: 32 }, runners, 2);
  const wanted = flooded ? flood : 0;
  let background = 0;
  let explained = 0;
  world.run = (batch) => {
    if (batch.members[0]?.background) {
      background -= batch.members.length;
      explained += batch.rows;
    }
    // Real runs vary: by a tenth up or down, one in fifty takes twice as long.
    return { ms: (alphaMs + betaMs * batch.rows) * (0.9 + 0.2 * random.next()) * (random.next() < 0.02 ? 2 : 1) };
  };
  const sent: { readonly ticket: Ticket<Fate>; readonly at: number }[] = [];
  const arrivals = seededRandom(18);
  for (let at = 0; at < forMs;) {
    at += (-Math.log(1 - arrivals.next()) * 1000) / perSecond;
    while (world.now < at) {
      world.until(Math.min(at, world.now + refillMs));
      while (background < wanted) {
        background += 1;
        world.offer('b', { background: true, rows });
      }
    }
    sent.push({ ticket: world.offer('p'), at });
  }
  world.until(world.now + 60_000);
  const took = sent.map(({ ticket, at }) => (ticket.tag.ends[0]?.at ?? Infinity) - at).toSorted((a, b) => a - b);
  const quantile = (q: number) => took[Math.floor(q * took.length)] as number;
  return { p50: quantile(0.5), p99: quantile(0.99), explained };
}

test.each<Case>([
  { alphaMs: 0.3, betaMs: 0.02, runners: 1, perSecond: 50, rows: 32 },
  { alphaMs: 0.3, betaMs: 0.02, runners: 1, perSecond: 1000, rows: 32 },
  { alphaMs: 5, betaMs: 1, runners: 1, perSecond: 20, rows: 8 },
  { alphaMs: 5, betaMs: 1, runners: 1, perSecond: 100, rows: 8 },
  { alphaMs: 1, betaMs: 0.1, runners: 1, perSecond: 300, rows: 1 },
  { alphaMs: 5, betaMs: 1, runners: 2, perSecond: 100, rows: 8 },
  { alphaMs: 1, betaMs: 0.1, runners: 4, perSecond: 300, rows: 32 },
])('a flood in the background adds a fifth at most to the 99th percentile of plain requests: %j', (one) => {
  const forMs = 4e6 / one.perSecond;
  const [alone, flooded] = [simulate(one, forMs, false), simulate(one, forMs, true)];
  expect(flooded.p50 / alone.p50).toBeLessThan(1.05);
  expect(flooded.p99 / alone.p99).toBeLessThan(1.2);
  // And it gets something.
  expect(flooded.explained).toBeGreaterThan(100);
});

test('where plain requests seldom come, the background has the rest of the time', () => {
  const seldom = { alphaMs: 5, betaMs: 1, runners: 1, perSecond: 0.5, rows: 8 };
  const { explained } = simulate(seldom, 200_000, true);
  const most = (200_000 / (5 + 8)) * 8;
  expect(explained).toBeGreaterThan(0.8 * most);
});
