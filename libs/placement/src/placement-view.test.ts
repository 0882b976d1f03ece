import { type Bus, type Desire, createLocalBus, desiredPrefix, reportsPrefix, workersPrefix } from '@shoal/bus';
import { FakeClock } from '@shoal/testing';
import { PlacementView } from './placement-view';
import { desire, report, turns, worker } from './testing/announced';

const settleMs = 5_000;
let bus: Bus;
let clock: FakeClock;
let view: PlacementView;

beforeEach(() => {
  clock = new FakeClock();
  bus = createLocalBus({ clock });
  view = new PlacementView(bus, clock, settleMs);
});

afterEach(async () => {
  view.close();
  await bus.close();
  if (clock.pending > 0) throw new Error(`${clock.pending} timers are left`);
});

async function join(id: string): Promise<void> {
  bus.announce(workersPrefix + id, worker(id));
  bus.announce(`${reportsPrefix}m/${id}`, report(id, { own: true, state: 'READY' }));
  await turns();
}

async function lose(id: string): Promise<void> {
  bus.withdraw(workersPrefix + id);
  bus.withdraw(`${reportsPrefix}m/${id}`);
  await turns();
}

const chosen = () => [...(view.plans.get('m')?.chosen ?? [])].sort();

test('a worker that is missed keeps its place for a while, and serves nothing meanwhile', async () => {
  await join('a');
  await join('b');
  await lose('b');
  expect(chosen()).toEqual(['a', 'b']);
  expect(view.reports.get('m')?.get('b')?.state).toBe('ABSENT');
  clock.advance(settleMs - 1);
  expect(chosen()).toEqual(['a', 'b']);
  clock.advance(1);
  expect(chosen()).toEqual(['a']);
  expect(view.reports.get('m')?.has('b')).toBe(false);
});

test('one that comes back in time is not forgotten afterwards', async () => {
  await join('a');
  await lose('a');
  clock.advance(settleMs - 1);
  await join('a');
  clock.advance(settleMs);
  expect(chosen()).toEqual(['a']);
});

test('one that said it leaves is gone at once, its word of the model with it', async () => {
  await join('a');
  bus.announce(workersPrefix + 'a', worker('a', { leaving: true }));
  await turns();
  expect(chosen()).toEqual([]);
  bus.withdraw(`${reportsPrefix}m/a`);
  bus.withdraw(workersPrefix + 'a');
  await turns();
  expect([view.workers.size, view.reports.size]).toEqual([0, 0]);
});

test('what is wanted follows the store, and many changes are told as one, nothing after the end', async () => {
  let told = 0;
  view.onChange(() => (told += 1));
  await join('a');
  expect(told).toBe(1);
  await bus.state.put<Desire>(desiredPrefix + 'm', desire({ wanted: false }));
  await turns();
  expect(view.plans.get('m')).toMatchObject({ wanted: false, desire: { request: 'r1' } });
  await bus.state.delete(desiredPrefix + 'm');
  await turns();
  expect(view.plans.get('m')).toMatchObject({ wanted: true, desire: undefined });
  await turns();
  const before = told;
  view.close();
  await join('b');
  await turns();
  expect(told).toBe(before);
});
