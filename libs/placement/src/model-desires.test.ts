import {
  type Bus,
  type Desire,
  type LookAnswer,
  type LookCall,
  type StateStore,
  createLocalBus,
  desiredPrefix,
  instanceSubject,
  lookSubject,
  reportsPrefix,
  workersPrefix,
} from '@shoal/bus';
import { seededRandom } from '@shoal/core';
import { FakeClock } from '@shoal/testing';
import { ModelDesires } from './model-desires';
import { PlacementView } from './placement-view';
import { desire, report, turns, worker } from './testing/announced';

let bus: Bus;
let clock: FakeClock;
let view: PlacementView;

beforeEach(() => {
  clock = new FakeClock();
  bus = createLocalBus({ clock });
  bus.announce(workersPrefix + 'a', worker('a'));
});

afterEach(async () => {
  view.close();
  await bus.close();
  if (clock.pending > 0) throw new Error(`${clock.pending} timers are left`);
});

async function desires(over: Bus = bus): Promise<ModelDesires> {
  view = new PlacementView(over, clock, 0);
  await turns();
  return new ModelDesires({ id: 'r', bus: over, view, clock, random: seededRandom(1) });
}

/** As a KV bucket that keeps one value a key: of writings in quick succession its watch may tell the last only. */
function tellingNothingBy(via: string): Bus {
  const state: StateStore = {
    get: (key) => bus.state.get(key),
    put: (key, value, expected) => bus.state.put(key, value, expected),
    delete: (key, expected) => bus.state.delete(key, expected),
    watch: (prefix, listener) =>
      bus.state.watch(prefix, (key, entry) => {
        if ((entry?.value as Desire | undefined)?.via !== via) listener(key, entry as never);
      }),
  };
  return new Proxy(bus, {
    get: (target, key) => {
      if (key === 'state') return state;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

test('an asking that a later one hid from the watch is told that it was overtaken', async () => {
  const asked = await desires(tellingNothingBy('r'));
  const loading = asked.load({ model: 'm', by: 'me' });
  const outcome = loading.then(
    () => 'done',
    (thrown: unknown) => thrown,
  );
  await turns();
  await bus.state.put<Desire>(desiredPrefix + 'm', desire({ request: 'theirs', via: 'other' }));
  clock.advance(1_000);
  await turns();
  asked.close();
  expect(await outcome).toMatchObject({ code: 'ABORTED' });
  expect((await bus.state.get<Desire>(desiredPrefix + 'm'))?.value.request).toBe('theirs');
});

test('an asking that the watch is slow to tell of is waited for', async () => {
  const asked = await desires(tellingNothingBy('r'));
  const outcome = asked.load({ model: 'm', by: 'me' }).then(
    () => 'done',
    (thrown: unknown) => thrown,
  );
  await turns();
  for (let i = 0; i < 3; i += 1) {
    clock.advance(1_000);
    await turns();
  }
  expect(await bus.state.get(desiredPrefix + 'm')).toBeDefined();
  asked.close();
  expect(await outcome).toMatchObject({ code: 'UNAVAILABLE' });
});

test('a model that nobody knows is not unloaded, and nothing is written of it', async () => {
  const asked = await desires();
  expect(await asked.unload('nobody-has-it', 'me')).toBe(false);
  expect(await bus.state.get(desiredPrefix + 'nobody-has-it')).toBeUndefined();
});

test('a file that another call removed before this one named it is stored again', async () => {
  const asked = await desires();
  const put = bus.blobs.put.bind(bus.blobs);
  const digest = await put(Buffer.from('weights'));
  let puts = 0;
  bus.blobs.put = async (bytes) => {
    const stored = await put(bytes);
    if ((puts += 1) === 1) await bus.blobs.delete(stored);
    return stored;
  };
  const loading = asked.load({ model: 'm', files: [['1/model.onnx', Buffer.from('weights')]], by: 'me' });
  await turns();
  const standing = await bus.state.get<Desire>(desiredPrefix + 'm');
  expect(standing?.value.files).toEqual([{ path: '1/model.onnx', digest, bytes: 7 }]);
  expect(await bus.blobs.list()).toEqual([digest]);
  // Another that had not heard of this asking when it tidied.
  await bus.blobs.delete(digest);
  const request = standing?.value.request ?? '';
  bus.announce(`${reportsPrefix}m/a`, report('a', { seen: request, applied: request, state: 'READY' }));
  await loading;
  expect(await bus.blobs.list()).toEqual([digest]);
  expect(puts).toBe(3);
  asked.close();
});

/** A worker that has the models of this name; counts in `looked` who was asked. */
function looks(id: string, has: string, looked: string[]): void {
  bus.announce(workersPrefix + id, worker(id));
  bus.serve<LookCall, LookAnswer>(instanceSubject(lookSubject, id), async ({ model }) => {
    looked.push(`${id} ${model}`);
    return { found: model === has };
  });
}

/** The keys that are written from now on. */
function writes(): string[] {
  const keys: string[] = [];
  bus.state.watch(desiredPrefix, (key) => keys.push(key));
  return keys;
}

test('a load of what no repository has writes nothing, and is refused in Triton’s words', async () => {
  const looked: string[] = [];
  looks('a', 'm', looked);
  looks('b', 'm', looked);
  const asked = await desires();
  const written = writes();
  const message = "failed to load 'random', failed to poll from model repository";
  await expect(asked.load({ model: 'random', by: 'me' })).rejects.toMatchObject({ code: 'INTERNAL', message });
  await expect(asked.load({ model: 'random', config: '{}', by: 'me' })).rejects.toMatchObject({ message });
  await turns();
  expect([written, looked]).toEqual([[], ['a random', 'b random', 'a random', 'b random']]);
  asked.close();
});

test.each([
  ['one worker has it, unannounced as yet', ['x', 'm'], {}],
  ['one worker does not answer', ['x'], {}],
  ['it comes with files', ['x', 'x'], { files: [['1/model.onnx', Buffer.from('weights')] as const] }],
])('a load is asked for where %s', async (_what, having, more) => {
  const looked: string[] = [];
  for (const [i, has] of having.entries()) looks(String(i), has, looked);
  if (having.length === 2) bus.withdraw(`${workersPrefix}a`);
  const asked = await desires();
  const written = writes();
  const outcome = asked.load({ model: 'm', by: 'me', ...more }).catch((thrown: unknown) => thrown);
  await turns();
  expect(written).toEqual([`${desiredPrefix}m`]);
  asked.close();
  expect(await outcome).toMatchObject({ code: 'UNAVAILABLE' });
});

test('of a model that somebody speaks of nobody is asked', async () => {
  const looked: string[] = [];
  looks('a', 'x', looked);
  bus.announce(`${reportsPrefix}m/a`, report('a'));
  const asked = await desires();
  const written = writes();
  const outcome = asked.load({ model: 'm', by: 'me' }).catch((thrown: unknown) => thrown);
  await turns();
  expect([written, looked]).toEqual([[`${desiredPrefix}m`], []]);
  asked.close();
  await outcome;
});
