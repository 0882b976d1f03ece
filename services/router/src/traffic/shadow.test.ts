import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import type { RouterConfig } from '../flags';
import { modelConfig } from '../testing/model-configs';
import { until } from '../testing/simple-request';
import { type VersionRig, splitConfig, splitRequest, startVersionRig } from '../testing/version-rig';

let rig: VersionRig;

async function start(config: Partial<RouterConfig> = {}, shadow: object = {}): Promise<void> {
  rig = await startVersionRig(config);
  await set({ stable_version: '1', shadow: { version: '2', percent: 100, ...shadow } });
}

afterEach(async () => {
  await rig.close();
});

async function set(rules: object): Promise<void> {
  expect(await rig.traffic('SetTraffic', { model: 'split', rules })).toMatchObject({ model: 'split' });
}

async function results(): Promise<Record<string, number | string>> {
  const { status } = await rig.traffic('GetTraffic', { model: 'split' });
  return (status as { shadow: Record<string, number | string> }).shadow;
}

/** Resolves with the results once so many copies are settled. */
async function settled(count: number): Promise<Record<string, number | string>> {
  for (;;) {
    const found = await results();
    const { equal, different, failed, dropped, skipped, abandoned } = found as Record<string, number>;
    if ([equal, different, failed, dropped, skipped, abandoned].reduce((a, b) => (a ?? 0) + (b ?? 0)) === count)
      return found;
  }
}

test('the shadow version gets a copy and its answer, which is the same, is not seen', async () => {
  await start();
  expect([await rig.ask(), await rig.ask()]).toEqual(['1', '1']);
  expect(await settled(2)).toMatchObject({ sent: 2, compared: 2, equal: 2, different: 0, largest_difference: 0 });
  const queues = rig.batching.offers.map(({ queue }) => queue).sort();
  expect(queues).toEqual(['split/1@g1', 'split/1@g1', 'split/2@g1', 'split/2@g1']);
});

test('an answer that differs is counted, with the first output and the largest difference', async () => {
  await start();
  rig.added.set('2', 0.5);
  await rig.ask();
  await settled(1);
  rig.added.set('2', 0.25);
  await rig.ask();
  expect(await settled(2)).toMatchObject({
    compared: 2,
    equal: 0,
    different: 2,
    largest_difference: 0.5,
    first_output: 'Y',
    first_reason: 'element 0 is the first to differ',
  });
});

test('within the tolerance it is equal', async () => {
  await start({}, { absolute_tolerance: 0.5 });
  rig.added.set('2', 0.5);
  await rig.ask();
  expect(await settled(1)).toMatchObject({ equal: 1 });
});

test('requests of streams are compared too', async () => {
  await start();
  rig.added.set('2', 1);
  const { status, responses } = await rig.client.stream([splitRequest(), splitRequest()]);
  expect([status, responses.length]).toEqual(['OK', 2]);
  expect(await settled(2)).toMatchObject({ different: 2 });
});

test('a share of the requests', async () => {
  await start({}, { percent: 30 });
  await Promise.all(Array.from({ length: 200 }, () => rig.ask()));
  const { sent } = await settled(rig.batching.offers.length - 200);
  // The router's random numbers are seeded; of fair ones, this is six deviations of 200 draws.
  expect(Math.abs(Number(sent) - 60)).toBeLessThan(40);
});

test('a slow shadow holds nothing up: what does not fit is dropped', async () => {
  await start({ maxShadowRequests: 2 });
  rig.silent.add('2');
  const versions = await Promise.all(Array.from({ length: 20 }, () => rig.ask()));
  expect(new Set(versions)).toEqual(new Set(['1']));
  expect(await results()).toMatchObject({ sent: 2, dropped: 18, compared: 0 });
  for (const offer of rig.batching.offers) if (offer.queue === 'split/2@g1') rig.batching.send(offer);
  await settled(20);
  rig.silent.clear();
  await rig.ask();
  expect(await settled(21)).toMatchObject({ sent: 3, equal: 3, dropped: 18 });
});

test.each([
  ['the request', 10, { sent: 0, dropped: 1 }],
  ['the request, and not for the answers', 60, { sent: 1, dropped: 1 }],
])('without room for the bytes of %s it is dropped', async (_what, maxShadowBytes, expected) => {
  await start({ maxShadowBytes });
  expect(await rig.ask()).toBe('1');
  expect(await settled(1)).toMatchObject({ ...expected, compared: 0 });
});

test('a shadow that fails is counted, and the request answered', async () => {
  await start();
  rig.silent.add('2');
  expect(await rig.ask()).toBe('1');
  await until(() => rig.batching.offers.length === 2);
  for (const offer of rig.batching.offers) {
    if (offer.queue === 'split/2@g1') rig.batching.reject(offer, 'INTERNAL', 'it broke', 'model');
  }
  expect(await settled(1)).toMatchObject({ sent: 1, failed: 1, compared: 0 });
});

test('a request that fails, or whose client goes, has nothing to compare with', async () => {
  await start();
  rig.silent.add('1').add('2');
  const failing = rig.ask();
  await until(() => rig.batching.offers.length === 2);
  const [first] = rig.batching.offers;
  if (first) rig.batching.reject(first, 'INTERNAL', 'it broke', 'model');
  expect(await failing).toBe('INTERNAL: it broke');
  const abort = new AbortController();
  const leaving = rig.client.call('ModelInfer', splitRequest(), { signal: abort.signal });
  await until(() => rig.batching.offers.length === 4);
  abort.abort();
  expect((await leaving).status).toBe('CANCELLED');
  expect(await settled(2)).toMatchObject({ sent: 2, abandoned: 2 });
  const cancelled = new Set(rig.batching.cancels.map(({ offerId }) => offerId));
  const shadows = rig.batching.offers.filter(({ queue }) => queue === 'split/2@g1');
  expect(shadows.map(({ offerId }) => cancelled.has(offerId))).toEqual([true, true]);
});

test('what cannot be compared is left out', async () => {
  await start();
  expect(await rig.ask({ more: { parameters: { sequence_id: { int64_param: 7 } } } })).toBe('1');
  rig.announce(splitConfig, 2, { state: 'UNAVAILABLE', reason: 'unloaded' });
  await Promise.resolve();
  expect(await rig.ask()).toBe('1');
  rig.announce(splitConfig, 2);
  await Promise.resolve();
  expect(await settled(2)).toMatchObject({ sent: 0, skipped: 2 });
  await set({
    stable_version: '1',
    canary: { version: '2', percent: 100 },
    shadow: { version: '2', percent: 100 },
  });
  expect([await rig.ask(), await rig.ask({ version: '1' })]).toEqual(['2', '1']);
  expect(await settled(1)).toMatchObject({ sent: 0, skipped: 1 });
});

test('requests with inputs or outputs in shared memory, which may change before the copy runs, are left out', async () => {
  await start({ allowClientShm: true });
  const key = `/router-test-${randomBytes(8).toString('hex')}`;
  try {
    writeFileSync(`/dev/shm${key}`, Buffer.alloc(64));
    await rig.client.call('SystemSharedMemoryRegister', { name: 'r', key, offset: 0, byte_size: 64 });
    const parameters = {
      shared_memory_region: { string_param: 'r' },
      shared_memory_byte_size: { int64_param: 8 },
    };
    const inputs = [{ name: 'X', datatype: 'FP32', shape: [1, 2], parameters }];
    expect(await rig.ask({ more: { inputs, raw_input_contents: [] } })).toBe('1');
    expect(await rig.ask({ more: { outputs: [{ name: 'Y', parameters }] } })).toBe('1');
    expect(await settled(2)).toMatchObject({ sent: 0, skipped: 2 });
    expect(await rig.ask()).toBe('1');
    expect(await settled(3)).toMatchObject({ sent: 1, skipped: 2 });
  } finally {
    rmSync(`/dev/shm${key}`, { force: true });
  }
});

test('copies run in the background of their version', async () => {
  await start();
  await rig.ask();
  await settled(1);
  const kinds = Object.fromEntries(rig.batching.offers.map(({ queue, background }) => [queue, background]));
  expect(kinds).toEqual({ 'split/1@g1': false, 'split/2@g1': true });
});

test('the bytes of a large request stay as they are until its copy is done with them', async () => {
  await start();
  const config = modelConfig('split', 8, ['X FP32[-1]'], ['Y FP32[2]']);
  for (const version of [1, 2]) rig.announce(config, version, { generation: 'large' });
  rig.silent.add('2');
  const length = 1 << 18;
  const large = (value: number) => ({
    inputs: [{ name: 'X', datatype: 'FP32', shape: [1, length] }],
    raw_input_contents: [Buffer.from(new Float32Array(length).fill(value).buffer)],
  });
  // Memory of a request that was done with is given to the next one.
  for (const value of [1, 2, 3, 4]) expect(await rig.ask({ more: large(value) })).toBe('1');
  for (const offer of rig.batching.offers) if (offer.queue === 'split/2@large') rig.batching.send(offer);
  expect(await settled(4)).toMatchObject({ sent: 4, equal: 4 });
});
