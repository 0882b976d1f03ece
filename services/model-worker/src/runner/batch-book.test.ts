import type { Data } from '@shoal/link';
import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { type Arrival, BatchBook, type BookAction, type BookLimits } from './batch-book';

const limits: BookLimits = {
  gatherTimeoutMs: 100,
  lateMs: 100,
  earlyTimeoutMs: 50,
  earlyBytes: 1000,
  earlyMembers: 8,
};

function arrival(batchId: number, member: number, offerId = batchId * 100 + member, size = 4): Arrival<string> {
  const inputs = [{ index: 0, shape: [1, size], bytes: new Uint8Array(size) }];
  const data: Data = { kind: 'data', batchId, member, offerId, requestId: '', inputs, outputs: [] };
  return { data, link: 'link' };
}

/** What is done, and with which offer or batch. */
function told(actions: readonly BookAction<string>[] | undefined): [string, number][] | undefined {
  return actions?.map((action) => [
    action.kind,
    action.kind === 'abandoned' ? action.batchId : action.arrival.data.offerId,
  ]);
}

test('a batch is given out when all its bytes are here, whichever came first', () => {
  const book = new BatchBook<string>(limits);
  expect(book.data('r1', arrival(1, 1), 0)).toEqual([]);
  expect(book.granted(1, 'b', ['r0', 'r1'], [2, 3], 1)).toEqual([]);
  expect(book.take()).toBeUndefined();
  expect(book.data('r0', arrival(1, 0), 2)).toEqual([]);
  const batch = book.take();
  expect(batch).toMatchObject({ batchId: 1, origin: 'b', arrivedAt: 1, absent: [] });
  expect(batch?.present.map(({ member, rows }) => [member, rows])).toEqual([
    [0, 2],
    [1, 3],
  ]);
  expect(book.take()).toBeUndefined();
  book.finish(1);
  expect([book.held, book.early, book.nextTick()]).toEqual([0, 0, undefined]);
});

test('bytes from a router that the batch does not name are refused', () => {
  const book = new BatchBook<string>(limits);
  book.granted(1, 'b', ['r0'], [1], 0);
  expect(told(book.data('other', arrival(1, 0), 0))).toEqual([['refuse', 100]]);
  expect(told(book.data('r0', arrival(1, 5), 0))).toEqual([['refuse', 105]]);
  expect(book.data('r0', arrival(1, 0), 0)).toEqual([]);
  expect(book.data('r0', arrival(1, 0), 0)).toHaveLength(1);
});

test('a batch that names a router already lost does not wait for it; one that has come back is waited for', () => {
  const book = new BatchBook<string>(limits);
  book.routerJoined('r0');
  book.routerLost('r0');
  book.granted(1, 'b', ['r0', 'r1'], [1, 1], 0);
  expect(book.take()).toBeUndefined();
  book.data('r1', arrival(1, 1), 0);
  expect(book.take()).toMatchObject({ present: [{ member: 1 }], absent: [0] });
  book.granted(2, 'b', ['r0'], [1], 0);
  expect(book.take()).toMatchObject({ batchId: 2, present: [], absent: [0] });
  book.routerJoined('r0');
  book.granted(3, 'b', ['r0'], [1], 0);
  expect(book.take()).toBeUndefined();
  book.data('r0', arrival(3, 0), 0);
  expect(book.take()).toMatchObject({ batchId: 3, absent: [] });
});

test('bytes of a router that is back, for a batch granted while it was lost, are refused: it offers them again', () => {
  const book = new BatchBook<string>(limits);
  book.routerLost('r0');
  book.granted(1, 'b', ['r0', 'r1'], [1, 1], 0);
  book.routerJoined('r0');
  expect(told(book.data('r0', arrival(1, 0), 0))).toEqual([['refuse', 100]]);
});

test('a withdrawal that overtakes the grant counts', () => {
  const book = new BatchBook<string>(limits);
  book.data('r0', arrival(1, 0), 0);
  expect(told(book.withdrawn('r0', 1, 0, 0))).toEqual([['drop', 100]]);
  book.granted(1, 'b', ['r0'], [1], 1);
  expect(book.take()).toMatchObject({ present: [], absent: [0] });
});

test('members whose bytes never come are left out in time', () => {
  const book = new BatchBook<string>(limits);
  book.granted(1, 'b', ['r0', 'r1'], [1, 1], 0);
  book.data('r1', arrival(1, 1), 1);
  expect(book.nextTick()).toBe(100);
  book.tick(99);
  expect(book.take()).toBeUndefined();
  book.tick(100);
  expect(book.take()).toMatchObject({ absent: [0] });
  expect(told(book.data('r0', arrival(1, 0), 101))).toEqual([['refuse', 100]]);
});

test('a router that stands still holds up one batch for a while, and none after it, until it is heard again', () => {
  const book = new BatchBook<string>({ ...limits, lateMs: 20 });
  book.granted(1, 'b', ['r0', 'r1'], [1, 1], 0);
  book.granted(2, 'b', ['r0'], [1], 5);
  expect(book.nextTick()).toBe(20);
  book.tick(20);
  expect(book.take()).toMatchObject({ batchId: 1, absent: [0, 1] });
  book.data('r1', arrival(1, 1), 21);
  book.granted(3, 'b', ['r0', 'r1'], [1, 1], 22);
  book.data('r1', arrival(3, 1), 22);
  expect(book.take()).toMatchObject({ batchId: 3, present: [{ member: 1 }], absent: [0] });
  expect(told(book.data('r0', arrival(1, 0), 23))).toEqual([['refuse', 100]]);
  book.granted(4, 'b', ['r0'], [1], 23);
  expect(book.take()).toBeUndefined();
  book.data('r0', arrival(4, 0), 24);
  expect(book.take()).toMatchObject({ batchId: 4, absent: [] });
});

test('members are waited for as long as ones as large as the largest so far may take, longer once some were late', () => {
  const book = new BatchBook<string>({ ...limits, lateMs: 20, earlyBytes: 2 ** 20 });
  book.granted(1, 'b', ['r0'], [1], 0);
  book.data('r0', arrival(1, 0, 100, 10_000), 0);
  book.take();
  book.granted(2, 'b', ['r0', 'r1', 'r1'], [1, 1, 1], 0);
  expect(book.nextTick()).toBe(20 + 3 * 10);
  book.data('r0', arrival(2, 0), 10);
  expect(book.nextTick()).toBe(20 + 2 * 10);
  book.tick(40);
  expect(book.take()).toMatchObject({ batchId: 2, absent: [1, 2] });
  expect(told(book.data('r1', arrival(2, 1), 41))).toEqual([['refuse', 201]]);
  expect(told(book.data('r1', arrival(2, 2), 41))).toEqual([['refuse', 202]]);
  book.granted(3, 'b', ['r1', 'r1'], [1, 1], 50);
  expect(book.nextTick()).toBe(50 + 20 + 2 * 20);
  book.granted(4, 'b', ['r1', 'r1', 'r1', 'r1', 'r1', 'r1'], [1, 1, 1, 1, 1, 1], 0);
  expect(book.nextTick()).toBe(100);
});

test('bytes whose batch never comes are refused in time, and their number and size are bounded', () => {
  const book = new BatchBook<string>(limits);
  expect(book.data('r', arrival(1, 0), 0)).toEqual([]);
  expect(book.data('r', arrival(2, 0, 200, 997), 0)).toHaveLength(1);
  for (let i = 0; i < 7; i += 1) expect(book.data('r', arrival(3, i), 10)).toEqual([]);
  expect(book.data('r', arrival(3, 7), 10)).toHaveLength(1);
  expect(book.nextTick()).toBe(50);
  expect(told(book.tick(50))).toEqual([['refuse', 100]]);
  expect(book.tick(60)).toHaveLength(7);
  expect([book.early, book.nextTick()]).toEqual([0, undefined]);
});

test('late bytes of a finished batch are refused at once', () => {
  const book = new BatchBook<string>(limits);
  book.granted(1, 'b', ['r0'], [1], 0);
  book.data('r0', arrival(1, 0), 0);
  book.take();
  book.finish(1);
  expect(book.data('r0', arrival(1, 0), 0)).toHaveLength(1);
  expect(book.early).toBe(0);
});

test('a lost router takes its members along; a run that nobody waits for is told', () => {
  const book = new BatchBook<string>(limits);
  book.granted(1, 'b', ['r0', 'r1'], [1, 1], 0);
  book.data('r0', arrival(1, 0), 0);
  expect(book.routerLost('r1')).toEqual([]);
  expect(book.take()).toMatchObject({ absent: [1] });
  expect(book.withdrawn('r0', 1, 0, 0)).toEqual([{ kind: 'abandoned', batchId: 1 }]);
  expect(book.routerLost('r0')).toEqual([]);
});

test('bytes that nobody waits for are let go of', () => {
  const book = new BatchBook<string>(limits);
  book.granted(1, 'b', ['r0', 'r0', 'r1'], [1, 1, 1], 0);
  for (const member of [0, 1]) book.data('r0', arrival(1, member), 0);
  book.data('r0', arrival(2, 0), 0);
  expect(told(book.withdrawn('r0', 1, 0, 0))).toEqual([['drop', 100]]);
  expect(told(book.routerLost('r0'))).toEqual([
    ['drop', 200],
    ['drop', 101],
  ]);
  expect(book.early).toBe(0);
});

test('a complete batch overtakes one that is not', () => {
  const book = new BatchBook<string>(limits);
  book.granted(1, 'b', ['r0'], [1], 0);
  book.granted(2, 'b', ['r0'], [1], 0);
  book.data('r0', arrival(2, 0), 0);
  expect(book.take()?.batchId).toBe(2);
});

test('in any history every offer is run, refused or withdrawn exactly once, and nothing is left', () => {
  const event = record({
    what: constantFrom('grant', 'data', 'withdraw', 'lose', 'tick', 'take', 'finish'),
    batchId: integer({ min: 1, max: 4 }),
    member: integer({ min: 0, max: 2 }),
    router: constantFrom('r0', 'r1'),
    step: integer({ min: 0, max: 60 }),
  });
  assert(
    property(array(event, { maxLength: 120 }), (events) => {
      const book = new BatchBook<string>(limits);
      let now = 0;
      let offers = 0;
      const settled = new Map<number, string>();
      const owner = new Map<number, { router: string; batchId: number; member: number }>();
      /** Offers whose bytes the book or a batch has. */
      const held = new Set<number>();
      const running = new Set<number>();
      const settle = (offerId: number, how: string) => {
        const before = settled.get(offerId);
        // A withdrawn offer may still be refused: its router has forgotten it.
        if (before !== undefined && before !== 'withdrawn') throw new Error(`${offerId} was ${before}, now ${how}`);
        settled.set(offerId, before ?? how);
      };
      const apply = (actions: BookAction<string>[]) => {
        for (const action of actions) {
          if (action.kind === 'abandoned') {
            if (!running.has(action.batchId)) throw new Error(`${action.batchId} does not run`);
            continue;
          }
          const { offerId } = action.arrival.data;
          if (!held.delete(offerId)) throw new Error(`${offerId} was let go of twice`);
          if (action.kind === 'refuse') settle(offerId, 'refused');
          else if (settled.get(offerId) !== 'withdrawn') throw new Error(`${offerId} was dropped`);
        }
      };
      const leave = (router: string, batchId?: number, member?: number) => {
        for (const [offerId, it] of owner) {
          const meant = it.router === router && (batchId === undefined || it.batchId === batchId);
          if (meant && (member === undefined || it.member === member) && !settled.has(offerId)) {
            settled.set(offerId, 'withdrawn');
          }
        }
      };
      const takeAll = () => {
        for (let batch = book.take(); batch; batch = book.take()) {
          running.add(batch.batchId);
          for (const { arrival: come } of batch.present) {
            held.delete(come.data.offerId);
            settle(come.data.offerId, 'run');
          }
        }
      };
      const finishAll = () => {
        for (const batchId of running) book.finish(batchId);
        running.clear();
      };
      for (const { what, batchId, member, router, step } of events) {
        now += step;
        if (what === 'grant') apply(book.granted(batchId, 'b', ['r0', 'r1', 'r0'], [1, 1, 1], now) ?? []);
        else if (what === 'data') {
          const offerId = ++offers;
          owner.set(offerId, { router, batchId, member });
          held.add(offerId);
          apply(book.data(router, arrival(batchId, member, offerId), now));
        } else if (what === 'withdraw') {
          leave(router, batchId, member);
          apply(book.withdrawn(router, batchId, member, now));
        } else if (what === 'lose') {
          leave(router);
          apply(book.routerLost(router));
        } else if (what === 'tick') apply(book.tick(now));
        else if (what === 'take') takeAll();
        else finishAll();
      }
      for (let turn = 0; turn < 3; turn += 1) {
        now += 1000;
        apply(book.tick(now));
        takeAll();
        finishAll();
      }
      expect([book.held, book.early, book.nextTick()]).toEqual([0, 0, undefined]);
      expect(held.size).toBe(0);
      for (const offerId of owner.keys()) expect(settled.has(offerId)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
