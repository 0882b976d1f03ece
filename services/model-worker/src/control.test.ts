import { cpSync, existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type VersionAnnouncement, desiredPrefix, leavingReason, reportsPrefix, versionsPrefix } from '@shoal/bus';
import { ShoalError, systemClock } from '@shoal/core';
import { Driver, type ExpectedCase, expectedOf, fixtures } from './driver.fixture';

let driver: Driver;

beforeEach(() => {
  driver = new Driver();
});

afterEach(() => driver.stop(500), 30_000);

const explicit = { modelControlMode: 'explicit' } as const;

function state(model: string, version = 1): string | undefined {
  return driver.versions.get(`${model}/${version}`)?.state;
}

function generation(model: string, version = 1): string | undefined {
  return driver.versions.get(`${model}/${version}`)?.generation;
}

function rewrite(model: string, change: (text: string) => string): void {
  const file = join(driver.folder, model, 'config.pbtxt');
  writeFileSync(file, change(readFileSync(file, 'utf8')));
  const later = new Date(Date.parse('2031-01-01'));
  utimesSync(file, later, later);
}

async function answers(model: string): Promise<boolean> {
  const [one] = expectedOf('simple').cases;
  const { done, answers: got } = await driver.run(model, [driver.member(model, one as ExpectedCase)]);
  return done.outcome === 'ok' && got[0] !== undefined && got[0] !== 'refused';
}

test('explicit mode: nothing is loaded but what was asked for; all models are known', async () => {
  await driver.withModels({ simple: 'models', simple_int8: 'models', config_syntax_error: 'hostile' });
  await driver.start({ ...explicit, loadModel: ['simple_int8', 'nope'] });
  expect([...driver.models.keys()].toSorted()).toEqual(['config_syntax_error', 'simple', 'simple_int8']);
  expect(driver.models.get('config_syntax_error')?.reason).toMatch(/config\.pbtxt: 3:/);
  expect([...driver.models.values()].filter(({ wanted }) => wanted).map(({ model }) => model)).toEqual(['simple_int8']);
  expect([state('simple'), state('simple_int8')]).toEqual([undefined, 'READY']);
  expect(driver.log.some(({ level, message }) => level === 'error' && message.includes("failed to load 'nope'"))).toBe(
    true,
  );
  await driver.load({ model: 'simple' });
  expect(state('simple')).toBe('READY');
  expect(await answers('simple')).toBe(true);
  // Put there a moment ago, and not announced yet.
  cpSync(join(fixtures('models'), 'simple'), join(driver.folder, 'late'), { recursive: true });
  rewrite('late', (text) => text.replace('name: "simple"', 'name: "late"'));
  expect(driver.models.has('late')).toBe(false);
  await driver.load({ model: 'late' });
  expect(state('late')).toBe('READY');
}, 30_000);

test('explicit mode goes on looking which models there are, and tells once what is wrong with one', async () => {
  await driver.withModels({ config_syntax_error: 'hostile' });
  await driver.start({ ...explicit, repositoryPollSecs: 0.02 });
  for (const name of ['first', 'second', 'third']) {
    cpSync(join(fixtures('models'), 'simple'), join(driver.folder, name), { recursive: true });
    await driver.until(() => driver.models.has(name), 'the next look');
  }
  const told = () => driver.log.filter(({ message }) => message.includes('config.pbtxt: 3:')).length;
  expect(told()).toBe(1);
  writeFileSync(join(driver.folder, 'config_syntax_error', 'config.pbtxt'), 'name: "another"');
  await driver.until(() => driver.models.get('config_syntax_error')?.reason.includes('another') === true, 'the news');
  expect(driver.log.some(({ message }) => message.includes("'another'"))).toBe(true);
}, 30_000);

test('a step that fails unexpectedly is told, and tried again after a rest', async () => {
  await (await driver.withModels({ simple: 'models' })).start(explicit);
  const announce = driver.bus.announce.bind(driver.bus);
  let faults = 2;
  driver.bus.announce = (key, value) => {
    if (key.startsWith(`${reportsPrefix}simple/`) && (faults -= 1) >= 0) throw new Error('a fault');
    announce(key, value);
  };
  const began = systemClock.now();
  await driver.load({ model: 'simple' });
  expect(systemClock.now() - began).toBeGreaterThanOrEqual(999);
  expect(state('simple')).toBe('READY');
  const told = driver.log.filter(({ message }) => message.endsWith('is tried again: Error: a fault'));
  expect(told.map(({ level }) => level)).toEqual(['error', 'error']);
}, 30_000);

test('--load-model=* loads all', async () => {
  await driver.withModels({ simple: 'models', simple_int8: 'models' });
  await driver.start({ ...explicit, loadModel: ['*'] });
  expect([state('simple'), state('simple_int8')]).toEqual(['READY', 'READY']);
}, 30_000);

test('the other modes refuse calls, in Triton’s words', async () => {
  await (await driver.withModels({})).start({ modelControlMode: 'none' });
  const told = { code: 'UNAVAILABLE', message: 'explicit model load / unload is not allowed if polling is enabled' };
  await expect(driver.load({ model: 'simple' })).rejects.toMatchObject(told);
  await expect(driver.unload('simple')).rejects.toMatchObject(told);
});

test('what cannot be read is refused in Triton’s words', async () => {
  await (await driver.withModels({ simple: 'models', config_syntax_error: 'hostile' })).start(explicit);
  const poll = (model: string) => ({
    code: 'INTERNAL',
    message: `failed to load '${model}', failed to poll from model repository`,
  });
  const written: string[] = [];
  driver.bus.state.watch(desiredPrefix, (key) => written.push(key));
  await expect(driver.load({ model: 'nope' })).rejects.toMatchObject(poll('nope'));
  await expect(driver.load({ model: 'nope', config: '{}' })).rejects.toMatchObject(poll('nope'));
  expect(written).toEqual([]);
  await expect(driver.load({ model: '../simple' })).rejects.toMatchObject(poll('../simple'));
  await expect(driver.load({ model: 'config_syntax_error' })).rejects.toMatchObject(poll('config_syntax_error'));
  await expect(driver.load({ model: 'simple', config: '{' })).rejects.toMatchObject(poll('simple'));
  await expect(driver.load({ model: 'simple', config: '{"no_such_field":1}' })).rejects.toMatchObject(poll('simple'));
  const files = { '1/model.onnx': 'eA==' };
  await expect(driver.load({ model: 'simple', files })).rejects.toMatchObject(poll('simple'));
  const outside = { '../../1/model.onnx': 'eA==' };
  await expect(driver.load({ model: 'simple', config: '{}', files: outside })).rejects.toMatchObject(poll('simple'));
  await driver.unload('nope');
}, 30_000);

test('a version that does not come up is told, in Triton’s words', async () => {
  await (await driver.withModels({ simple: 'models', truncated: 'hostile' })).start(explicit);
  await expect(driver.load({ model: 'truncated' })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(
      /^load failed for model 'truncated': version 1 is at UNAVAILABLE state: Internal: .+;\n$/s,
    ),
  });
  await expect(driver.load({ model: 'simple', config: '{"backend":"no_such_backend"}' })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message:
      "load failed for model 'simple': version 1 is at UNAVAILABLE state: Invalid argument: unable to find backend library for backend 'no_such_backend', try specifying runtime on the model configuration.;\n",
  });
  expect(state('simple')).toBe('UNAVAILABLE');
}, 30_000);

test('loading again: nothing for an unchanged model, a new generation for a changed one, the old one if that fails', async () => {
  await (await driver.withModels({ simple: 'models' })).start({ ...explicit, loadModel: ['simple'] });
  const first = generation('simple');
  await driver.load({ model: 'simple' });
  expect(generation('simple')).toBe(first);
  rewrite('simple', (text) => text.replace('max_batch_size: 8', 'max_batch_size: 4'));
  driver.history.length = 0;
  await driver.load({ model: 'simple' });
  const second = generation('simple');
  expect(second).not.toBe(first);
  expect(driver.versions.get('simple/1')?.config?.max_batch_size).toBe(4);
  // Never anything but READY in between: reloading costs nobody a request.
  expect(driver.history).toEqual(['simple/1 READY']);
  await driver.until(() => driver.runners.size === 1, 'the end of the old runner');
  expect(await answers('simple')).toBe(true);
  rewrite('simple', (text) => text.replace('TYPE_INT32', 'TYPE_FP32'));
  await expect(driver.load({ model: 'simple' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect([state('simple'), generation('simple')]).toEqual(['READY', second]);
  expect(await answers('simple')).toBe(true);
}, 30_000);

test('what was replaced serves on until batching has heard of it', async () => {
  await (await driver.withModels({ simple: 'models' })).start({ ...explicit, loadModel: ['simple'] });
  const [old] = await driver.runnersOf('simple');
  driver.deaf = true;
  rewrite('simple', (text) => text.replace('max_batch_size: 8', 'max_batch_size: 4'));
  await driver.load({ model: 'simple' });
  const tries = () => driver.log.filter(({ message }) => message === 'a queue was not drained').length;
  await driver.until(() => tries() >= 3, 'the third try');
  expect(driver.runners.has(old?.announcement.id ?? '')).toBe(true);
  expect(driver.runners.size).toBe(2);
  driver.deaf = false;
  await driver.until(() => driver.runners.size === 1, 'the end of the old runner');
  expect(await answers('simple')).toBe(true);
  // And the end of the service waits for nobody who does not hear.
  driver.deaf = true;
}, 30_000);

test('a worker that ends does not unload: others may serve the model, and if none does it is missed', async () => {
  await (await driver.withModels({ simple: 'models' })).start();
  driver.history.length = 0;
  const reasons = new Set<string>();
  driver.bus.watch<VersionAnnouncement>(versionsPrefix, (_, value) => reasons.add(value?.reason ?? 'gone'));
  await driver.stop();
  expect(driver.history).toEqual(['simple/1 UNLOADING']);
  expect(reasons).toContain(leavingReason);
}, 30_000);

test('a simulated device: no run is over before its time', async () => {
  await driver.withModels({ simple: 'models' });
  rewrite('simple', (text) => `${text}\nparameters { key: "simulated_device_us" value { string_value: "60000" } }\n`);
  await driver.start();
  const [one] = expectedOf('simple').cases;
  const began = systemClock.now();
  const { done } = await driver.run('simple', [driver.member('simple', one as ExpectedCase)]);
  expect(systemClock.now() - began).toBeGreaterThanOrEqual(59);
  expect(done).toMatchObject({ outcome: 'ok' });
  expect(done.computeInferNs).toBeGreaterThanOrEqual(60e6);
}, 30_000);

test('a config override stays through plain loads until the unload', async () => {
  await (await driver.withModels({ simple: 'models' })).start({ ...explicit, loadModel: ['simple'] });
  const size = () => driver.versions.get('simple/1')?.config?.max_batch_size;
  await driver.load({ model: 'simple', config: '{"max_batch_size":"16"}' });
  expect(size()).toBe(16);
  const overridden = generation('simple');
  await driver.load({ model: 'simple' });
  expect([size(), generation('simple')]).toEqual([16, overridden]);
  await driver.unload('simple');
  expect(driver.versions.get('simple/1')).toMatchObject({ state: 'UNAVAILABLE', reason: 'unloaded' });
  expect(driver.runners.size).toBe(0);
  await driver.load({ model: 'simple' });
  expect(size()).toBe(8);
}, 30_000);

test('files that come with the call make a model, without touching the repository', async () => {
  await (await driver.withModels({})).start(explicit);
  const model = readFileSync(join(fixtures('models'), 'simple/1/model.onnx')).toString('base64');
  await driver.load({ model: 'sent', config: '{"max_batch_size":8}', files: { '1/model.onnx': model } });
  expect(state('sent')).toBe('READY');
  expect(driver.models.get('sent')).toEqual({ worker: 'worker', model: 'sent', reason: '', wanted: true });
  expect(await answers('sent')).toBe(true);
  expect(existsSync(join(driver.folder, 'sent'))).toBe(false);
  const damaged = { '1/model.onnx': Buffer.from('damaged').toString('base64') };
  await expect(driver.load({ model: 'sent', config: '{"max_batch_size":8}', files: damaged })).rejects.toThrow(
    'Load model from sent/1/model.onnx failed',
  );
  await driver.unload('sent');
  expect(state('sent')).toBe('UNAVAILABLE');
}, 30_000);

test('a file that is not stored yet is waited for, a moment', async () => {
  await (await driver.withModels({})).start(explicit);
  const file = readFileSync(join(fixtures('models'), 'simple/1/model.onnx')).toString('base64');
  const sent = { config: '{"max_batch_size":8}', files: { '1/model.onnx': file } };
  const { blobs } = driver.bus;
  const get = blobs.get.bind(blobs);
  let missing = 2;
  blobs.get = async (digest) => {
    if ((missing -= 1) < 0) return get(digest);
    throw new ShoalError('NOT_FOUND', 'not stored');
  };
  await driver.load({ model: 'sent', ...sent });
  expect([state('sent'), missing]).toEqual(['READY', -1]);
  missing = Infinity;
  await expect(driver.load({ model: 'lost', ...sent })).rejects.toMatchObject({ code: 'NOT_FOUND' });
}, 30_000);

test('poll mode follows the repository: new, changed, broken and removed models, new versions', async () => {
  await driver.withModels({ simple: 'models' });
  await driver.start({ modelControlMode: 'poll', repositoryPollSecs: 1 });
  expect(state('simple')).toBe('READY');
  await driver.withModels({ simple_int8: 'models' });
  await driver.until(() => state('simple_int8') === 'READY', 'the new model');
  const first = generation('simple');
  rewrite('simple', (text) => text.replace('max_batch_size: 8', 'max_batch_size: 4'));
  await driver.until(() => generation('simple') !== first, 'the reload');
  expect(driver.versions.get('simple/1')?.config?.max_batch_size).toBe(4);
  rewrite('simple', (text) => `${text}\nnonsense`);
  await driver.until(() => driver.models.get('simple')?.reason !== '', 'the complaint');
  expect(state('simple')).toBe('READY');
  rewrite('simple', (text) => text.replace('nonsense', ''));
  await driver.until(() => driver.models.get('simple')?.reason === '', 'the repair');
  cpSync(join(driver.folder, 'simple/1'), join(driver.folder, 'simple/2'), { recursive: true });
  await driver.until(() => state('simple', 2) === 'READY' && state('simple', 1) === 'UNAVAILABLE', 'version 2 only');
  rmSync(join(driver.folder, 'simple_int8'), { recursive: true });
  await driver.until(() => !driver.models.has('simple_int8') && !driver.versions.has('simple_int8/1'), 'the removal');
}, 60_000);

test('a repository may be given by a relative path', async () => {
  await driver.withModels({ simple: 'models' });
  await driver.start({ modelRepository: [], modelStore: [relative(process.cwd(), driver.folder)] });
  expect(driver.versions.get('simple/1')).toMatchObject({ state: 'READY', reason: '' });
}, 30_000);

test('a repository that cannot be read is said so', async () => {
  const missing = driver.startLoading({ modelRepository: [join(driver.folder, 'missing')] });
  await expect(missing).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
