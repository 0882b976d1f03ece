import { type Bus, Instances, batchingPrefix, createLocalBus } from '@shoal/bus';
import { ShoalError } from '@shoal/core';
import { silentLogger } from '@shoal/telemetry';
import { FakeClock, until } from '@shoal/testing';
import { retireQueue } from './retire-queue';

const call = { queue: 'm/1@g', worker: 'w', timeoutMs: 1000 };

let clock: FakeClock;
let bus: Bus;
let batching: Instances;
let ended: AbortController;

beforeEach(async () => {
  clock = new FakeClock();
  bus = createLocalBus({ clock });
  batching = new Instances(bus, batchingPrefix);
  ended = new AbortController();
  for (const id of ['a', 'b']) bus.announce(batchingPrefix + id, { id, address: id });
  await until(() => batching.ids.length === 2);
});

afterEach(async () => {
  batching.close();
  await bus.close();
  if (clock.pending > 0) throw new Error('a timer is left behind');
});

function retire(): { readonly outcome: Promise<boolean>; readonly settled: () => boolean } {
  let over = false;
  const outcome = retireQueue({ batching, bus, clock, logger: silentLogger }, call, ended.signal);
  void outcome.finally(() => (over = true));
  return { outcome, settled: () => over };
}

/** What `id` was asked; `answers` throws where it fails. */
function serve(id: string, answers: () => void): unknown[] {
  const asked: unknown[] = [];
  bus.serve(`batching.retire.${id}`, (request) => {
    asked.push(request);
    return Promise.resolve().then(answers);
  });
  return asked;
}

/** Lets promises settle and time pass, `ms` in all. */
async function pass(ms: number): Promise<void> {
  for (let step = 0; step < 20; step += 1) {
    clock.advance(ms / 20);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('those that cannot be asked are asked again, those that have answered are not', async () => {
  const a = serve('a', () => undefined);
  const { outcome, settled } = retire();
  await pass(20_000);
  expect(settled()).toBe(false);
  const b = serve('b', () => undefined);
  await pass(6_000);
  expect(await outcome).toBe(true);
  expect([a, b]).toEqual([[call], [call]]);
});

test('one that is announced no more has no queue', async () => {
  serve('a', () => undefined);
  const { outcome } = retire();
  await pass(1_000);
  bus.withdraw(`${batchingPrefix}b`);
  await pass(6_000);
  expect(await outcome).toBe(true);
});

test('an error that asking again does not mend is no reason to wait', async () => {
  const asked = ['a', 'b'].map((id) =>
    serve(id, () => {
      throw new ShoalError('INTERNAL', 'a mistake');
    }),
  );
  const { outcome } = retire();
  await pass(10_000);
  expect(await outcome).toBe(true);
  expect(asked.map((calls) => calls.length)).toEqual([1, 1]);
});

test('it ends when its caller gives up, in a call and in a pause', async () => {
  const inPause = retire();
  await pass(50);
  ended.abort();
  expect(await inPause.outcome).toBe(false);
  ended = new AbortController();
  for (const id of ['a', 'b']) bus.serve(`batching.retire.${id}`, () => new Promise(() => undefined));
  const inCall = retire();
  await pass(50);
  ended.abort();
  expect(await inCall.outcome).toBe(false);
});
