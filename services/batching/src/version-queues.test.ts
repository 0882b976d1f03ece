import { type Bus, type VersionAnnouncement, createLocalBus, versionsPrefix } from '@shoal/bus';
import { parseModelConfig } from '@shoal/repository';
import { VersionQueues } from './version-queues';

const config = parseModelConfig('name: "m" backend: "onnxruntime"', 'm');

let bus: Bus;
let queues: VersionQueues;
let heard: string[];

beforeEach(() => {
  bus = createLocalBus();
  heard = [];
  queues = new VersionQueues(bus, {
    open: ({ generation }) => heard.push(`open ${generation}`),
    gone: (key) => heard.push(`gone ${key}`),
  });
});

afterEach(async () => {
  queues.close();
  await bus.close();
});

/** What follows when a worker says so; undefined = it is heard no more. */
async function says(worker: string, state?: VersionAnnouncement['state'], generation = 'g'): Promise<string[]> {
  heard = [];
  const key = `${versionsPrefix}m/1/${worker}`;
  if (state === undefined) bus.withdraw(key);
  else bus.announce(key, { model: 'm', version: 1, worker, generation, state, reason: '', config });
  await new Promise((resolve) => setImmediate(resolve));
  return heard;
}

test('workers with the same contents have one queue, which lasts for as long as one of them', async () => {
  expect(await says('a', 'READY')).toEqual(['open g']);
  expect(await says('b', 'READY')).toEqual([]);
  expect(queues.asked({ model: '', version: '' })).toHaveLength(1);
  expect(await says('a')).toEqual([]);
  expect(await says('b')).toEqual(['gone m/1@g']);
});

test('a worker that leaves a queue to others does not end it', async () => {
  await says('a', 'READY');
  await says('b', 'READY');
  await says('a', 'UNLOADING');
  expect(queues.mayRetire('m/1@g', 'a')).toBe(false);
  expect(await says('a', 'UNAVAILABLE')).toEqual([]);
  await says('b', 'UNLOADING');
  expect(queues.mayRetire('m/1@g', 'b')).toBe(true);
});

test('of two that leave at the same time the later one drains the queue', async () => {
  await says('a', 'READY');
  await says('b', 'READY');
  await says('a', 'UNLOADING');
  await says('b', 'UNLOADING');
  expect([queues.mayRetire('m/1@g', 'a'), queues.mayRetire('m/1@g', 'b')]).toEqual([true, true]);
});

test('what was left to a worker that replaces it is expelled: nobody drains it', async () => {
  await says('a', 'READY');
  await says('b', 'READY');
  await says('a', 'READY', 'h');
  expect(queues.mayRetire('m/1@g', 'a')).toBe(false);
  expect(await says('b', 'READY', 'h')).toEqual(['gone m/1@g']);
});

test('what is loaded again while its queue drains has a new one afterwards', async () => {
  await says('a', 'READY');
  await says('a', 'UNLOADING');
  expect(queues.mayRetire('m/1@g', 'a')).toBe(true);
  expect(await says('a', 'READY')).toEqual([]);
  queues.drained('m/1@g');
  expect(heard).toEqual(['open g']);
});
