import * as fc from 'fast-check';
import { type History, histories, live } from '../test/history';
import { Violation } from '../test/invariants';
import type { Fate } from '../test/world';
import type { SchedulerActions } from './actions';
import type { Batch } from './batch';
import type { Ticket } from './ticket';

type Actions = SchedulerActions<Fate>;

test('in 3000 random histories no rule is broken and nothing is left at the end', () => {
  const seen = { batches: 0, shared: 0, retries: 0, solos: 0 };
  const ends = new Set<string>();
  fc.assert(
    fc.property(histories, (history) => {
      const world = live(history);
      seen.batches += world.batches.length;
      for (const { members, reason } of world.batches) {
        if (members.length > 1) seen.shared += 1;
        if (reason === 'retry') seen.retries += 1;
        if (reason === 'solo') seen.solos += 1;
        for (const { tag } of members) for (const { settlement } of tag.ends) ends.add(settlement);
      }
    }),
    { numRuns: 3000 },
  );
  // The histories are worth something: all that can happen happens, and often.
  expect(seen.batches).toBeGreaterThan(20_000);
  expect(Math.min(seen.shared, seen.retries, seen.solos)).toBeGreaterThan(500);
  expect([...ends].toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['answered', 'cancelled', 'lost', 'rejected']);
});

test('the same history gives the same batches', () => {
  fc.assert(
    fc.property(histories, (history) => {
      expect(live(history).composition).toEqual(live(history).composition);
    }),
    { numRuns: 50 },
  );
});

/** Faults a scheduler might have, each of which the invariants must find. */
const faults: Readonly<Record<string, (actions: Actions) => Actions>> = {
  'forgets to settle now and then': (actions) => {
    let count = 0;
    return { ...actions, settle: (...args) => void ((count += 1) % 7 === 0 || actions.settle(...args)) };
  },
  'settles twice': (actions) => ({
    ...actions,
    settle: (...args) => {
      actions.settle(...args);
      actions.settle(...args);
    },
  }),
  'answers what was lost': (actions) => ({
    ...actions,
    settle: (ticket, settlement, rejection) =>
      actions.settle(ticket, settlement === 'lost' ? 'answered' : settlement, rejection),
  }),
  'says full when there is room': (actions) => ({
    ...actions,
    settle: (ticket, settlement, rejection) =>
      actions.settle(ticket, settlement, rejection && { ...rejection, reason: 'full' }),
  }),
  'merges a batch with the one before': (actions) => {
    let before: readonly Ticket<Fate>[] = [];
    return {
      ...actions,
      dispatch: (batch) => {
        actions.dispatch({ ...batch, members: [...before.slice(0, 1), ...batch.members] });
        before = batch.members;
      },
    };
  },
  'turns batches around': (actions) => ({
    ...actions,
    dispatch: (batch) => actions.dispatch({ ...batch, members: batch.members.toReversed() }),
  }),
  'dispatches one batch later than it decided': (actions) => {
    let held: Batch<Fate> | undefined;
    return {
      ...actions,
      dispatch: (batch) => {
        const previous = held;
        held = batch;
        if (previous !== undefined) actions.dispatch(previous);
      },
    };
  },
  'never ticks': (actions) => ({ ...actions, wakeAt: () => undefined }),
  'never tells that a queue is drained': (actions) => ({ ...actions, queueDrained: () => undefined }),
};

test.each(Object.entries(faults))('a scheduler that %s is found out', (_, spoil) => {
  const details = fc.check(
    fc.property(histories, (history: History) => void live(history, spoil)),
    { numRuns: 300, endOnFailure: true },
  );
  expect(details.errorInstance).toBeInstanceOf(Violation);
});
