import { modelConfig } from '../testing/model-configs';
import { until } from '../testing/simple-request';
import { type VersionRig, splitConfig, splitRequest, startVersionRig } from '../testing/version-rig';

let rig: VersionRig;

beforeEach(async () => {
  rig = await startVersionRig();
});

afterEach(async () => {
  await rig.close();
});

function set(rules: object): Promise<Record<string, unknown>> {
  return rig.traffic('SetTraffic', { model: 'split', rules });
}

const toCanary = { headers: { 'x-canary': '1' } };
const byHeader = {
  stable_version: '1',
  canary: { version: '2', percent: 0, header: { name: 'X-Canary', values: ['1'] } },
};

async function streamed(headers: Record<string, string>): Promise<unknown[]> {
  const { responses } = await rig.client.stream(
    [splitRequest(), splitRequest({ version: '1' }), splitRequest()],
    headers,
  );
  return responses.map(({ infer_response: answer }) => (answer as { model_version: string }).model_version);
}

test('without rules the latest answers; rules hold at once, for calls and streams', async () => {
  expect(await rig.ask()).toBe('2');
  await set(byHeader);
  expect([await rig.ask(), await rig.ask(toCanary)]).toEqual(['1', '2']);
  expect([await streamed({}), await streamed({ 'x-canary': '1' })]).toEqual([
    ['1', '1', '1'],
    ['2', '1', '2'],
  ]);
});

test('a request that names its version gets it', async () => {
  await set({ stable_version: '1', canary: { version: '2', percent: 100 } });
  expect([await rig.ask(), await rig.ask({ version: '1' }), await rig.ask({ version: '-1' })]).toEqual(['2', '1', '2']);
});

test('a share by lot, which the counters show', async () => {
  await set({ stable_version: '1', canary: { version: '2', percent: 50 } });
  const versions = await Promise.all(Array.from({ length: 200 }, () => rig.ask()));
  const canary = versions.filter((version) => version === '2').length;
  // The router's random numbers are seeded; of fair ones, this is six deviations.
  expect(Math.abs(canary - 100)).toBeLessThan(45);
  const { status } = await rig.traffic('GetTraffic', { model: 'split' });
  expect(status).toMatchObject({
    ready_versions: ['1', '2'],
    stable_version: '1',
    canary_ready: true,
    stable: { requests: 200 - canary, answered: 200 - canary, failed: 0 },
    canary: { requests: canary, answered: canary, failed: 0 },
    fallbacks: 0,
    routers: 1,
  });
});

test('a canary that is not ready is as if there were none: no request fails', async () => {
  await set(byHeader);
  rig.announce(splitConfig, 2, { state: 'UNAVAILABLE', reason: 'unloaded' });
  await Promise.resolve();
  expect(await rig.ask(toCanary)).toBe('1');
  const { status } = await rig.traffic('GetTraffic', { model: 'split' });
  expect(status).toMatchObject({ canary_ready: false, fallbacks: 1, stable: { requests: 1 }, canary: { requests: 0 } });
});

test('a canary with other inputs does not fail requests that the stable version takes', async () => {
  rig.announce(modelConfig('split', 8, ['Z FP32[2]'], ['Y FP32[2]']), 2, { generation: 'g2' });
  await set(byHeader);
  expect(await rig.ask(toCanary)).toBe('1');
  expect(await rig.ask({ ...toCanary, more: { inputs: [], raw_input_contents: [] } })).toMatch(/^INVALID_ARGUMENT/);
  const { status } = await rig.traffic('GetTraffic', { model: 'split' });
  expect(status).toMatchObject({ fallbacks: 1, stable: { requests: 1 } });
});

test('a stable version that is not ready is said to be so; others do not take its place', async () => {
  await set({ stable_version: '1' });
  rig.announce(splitConfig, 1, { state: 'UNAVAILABLE', reason: 'unloaded' });
  await Promise.resolve();
  expect(await rig.ask()).toMatch(/^UNAVAILABLE: .*'split' version 1 is not at ready state/);
});

test('what is planned again after a reload keeps its side', async () => {
  await set(byHeader);
  rig.silent.add('1').add('2');
  const asked = [rig.ask(), rig.ask(toCanary)];
  await until(() => rig.batching.offers.length === 2);
  // Both were reloaded meanwhile; by the rules that hold now all would be the other's.
  await set({ stable_version: '2', canary: { version: '1', percent: 0, header: { name: 'x-canary' } } });
  for (const version of [1, 2]) rig.announce(splitConfig, version, { generation: 'g2' });
  await Promise.resolve();
  rig.silent.clear();
  for (const offer of rig.batching.offers.slice()) {
    const [, version = ''] = /^split\/(\d)@/.exec(offer.queue) ?? [];
    const text = `Request for unknown model: 'split' version ${version} is not at ready state`;
    rig.batching.reject(offer, 'UNAVAILABLE', text, 'queue');
  }
  expect(await Promise.all(asked)).toEqual(['1', '2']);
  expect(rig.batching.offers.slice(2).map(({ queue }) => queue)).toEqual(['split/1@g2', 'split/2@g2']);
});

test('promoted, a request of the old stable version that comes back goes to the new one', async () => {
  await set(byHeader);
  rig.silent.add('1');
  const asked = rig.ask();
  await until(() => rig.batching.offers.length === 1);
  await rig.traffic('Promote', { model: 'split' });
  rig.announce(splitConfig, 1, { state: 'UNAVAILABLE', reason: 'unloaded' });
  await Promise.resolve();
  const [offer] = rig.batching.offers;
  if (!offer) throw new Error('no offer');
  rig.batching.reject(
    offer,
    'UNAVAILABLE',
    "Request for unknown model: 'split' version 1 is not at ready state",
    'queue',
  );
  expect(await asked).toBe('2');
});

test('a request whose canary went away before it ran is counted where it is answered, as a fallback', async () => {
  await set(byHeader);
  rig.silent.add('2');
  const asked = rig.ask(toCanary);
  await until(() => rig.batching.offers.length === 1);
  rig.announce(splitConfig, 2, { state: 'UNAVAILABLE', reason: 'unloaded' });
  await Promise.resolve();
  const [offer] = rig.batching.offers;
  if (!offer) throw new Error('no offer');
  const text = "Request for unknown model: 'split' version 2 is not at ready state";
  rig.batching.reject(offer, 'UNAVAILABLE', text, 'queue');
  expect(await asked).toBe('1');
  const { status } = await rig.traffic('GetTraffic', { model: 'split' });
  expect(status).toMatchObject({
    fallbacks: 1,
    stable: { requests: 1, answered: 1 },
    canary: { requests: 0, answered: 0, failed: 0 },
  });
});

test('promote, rollback and clear, with who and what was before', async () => {
  await set(byHeader);
  const done = await rig.traffic('Promote', { model: 'split' });
  expect(done).toMatchObject({
    model: 'split',
    rules: { stable_version: '2', canary: null },
    changed: { action: 'promote', by: expect.stringContaining('127.0.0.1') as string },
    previous: { stable_version: '1', canary: { version: '2', header: { name: 'x-canary', values: ['1'] } } },
  });
  expect(await rig.ask()).toBe('2');
  await rig.traffic('Rollback', { model: 'split' });
  expect([await rig.ask(), await rig.ask(toCanary)]).toEqual(['1', '2']);
  expect(await rig.traffic('ClearTraffic', { model: 'split' })).toEqual({});
  expect(await rig.ask()).toBe('2');
  expect(await rig.traffic('ListTraffic', {})).toEqual({ traffic: [] });
  expect(await rig.traffic('GetTraffic', { model: 'split' })).toMatchObject({ revision: 0, changed: null });
});

test('changes are refused with a sentence, and then change nothing', async () => {
  expect(await set({ stable_version: '1', canary: { version: '2', percent: 200 } })).toMatchObject({
    status: 'INVALID_ARGUMENT',
    details: "the canary's share is 200: expected a percentage from 0 to 100",
  });
  const byKey = (values: string[]) => ({ version: '2', percent: 0, header: { name: 'X-API-Key', values } });
  expect(await set({ stable_version: '1', canary: byKey(['shoal_k']) })).toMatchObject({
    status: 'INVALID_ARGUMENT',
    details: 'the values of header x-api-key are secrets: rules are stored, and shown to others',
  });
  expect(await rig.traffic('Promote', { model: 'split' })).toMatchObject({ status: 'FAILED_PRECONDITION' });
  expect(await rig.traffic('GetTraffic', { model: 'nobody' })).toMatchObject({ status: 'NOT_FOUND' });
  const { revision } = await set({ stable_version: '1' });
  const late = { model: 'split', expected_revision: (revision as number) + 5 };
  for (const name of ['SetTraffic', 'Promote', 'Rollback', 'ClearTraffic']) {
    expect(await rig.traffic(name, late)).toMatchObject({ status: 'ABORTED' });
  }
  expect(await rig.traffic('ListTraffic', {})).toMatchObject({ traffic: [{ model: 'split', revision }] });
});

test('what is gone is not gone back to', async () => {
  await set(byHeader);
  await rig.traffic('Promote', { model: 'split' });
  rig.announce(splitConfig, 1, { state: 'UNAVAILABLE', reason: 'unloaded' });
  await Promise.resolve();
  expect(await rig.traffic('Rollback', { model: 'split' })).toEqual({
    status: 'FAILED_PRECONDITION',
    details: "version 1 of model 'split' is not ready (UNAVAILABLE: unloaded)",
  });
  expect(await rig.ask()).toBe('2');
});
