import {
  type Bus,
  type VersionAnnouncement,
  createLocalBus,
  leavingReason,
  modelsPrefix,
  versionsPrefix,
} from '@shoal/bus';
import { FakeClock } from '@shoal/testing';
import { modelConfig } from '../testing/model-configs';
import { Catalog } from './catalog';

const config = modelConfig('m', 8, ['INPUT0 INT32[1]'], ['OUTPUT0 INT32[1]']);

let bus: Bus;
let clock: FakeClock;
let catalog: Catalog;

beforeEach(() => {
  bus = createLocalBus();
  clock = new FakeClock();
  catalog = new Catalog(bus, clock);
});

afterEach(async () => {
  catalog.close();
  await bus.close();
});

async function announce(version: number, change: Partial<VersionAnnouncement> = {}): Promise<void> {
  const announcement = { model: 'm', version, generation: 'g', state: 'READY', reason: '', config, ...change };
  bus.announce(`${versionsPrefix}m/${version}`, announcement);
  await Promise.resolve();
}

test('without a version the latest ready one serves; its signature is compiled once', async () => {
  await announce(1);
  await announce(9);
  await announce(10, { state: 'LOADING' });
  const found = catalog.resolve('m', '');
  expect(found.version).toBe('9');
  expect(found.signature.version).toBe('9');
  expect(catalog.resolve('m', '9').signature).toBe(found.signature);
});

test('a reload is another queue under the same version', async () => {
  await announce(1);
  const before = catalog.resolve('m', '1');
  await announce(1, { generation: 'h' });
  expect([before.queue, catalog.resolve('m', '1').queue]).toEqual(['m/1@g', 'm/1@h']);
});

test.each([
  ['other', '', 'NOT_FOUND', "Request for unknown model: 'other' is not found"],
  ['m', '3', 'NOT_FOUND', "Request for unknown model: 'm' version 3 is not found"],
  ['m', '1', 'UNAVAILABLE', "Request for unknown model: 'm' version 1 is not at ready state"],
  ['m', '', 'NOT_FOUND', "Request for unknown model: 'm' has no available versions"],
])('%s version %j: %s', async (model, version, code, message) => {
  await announce(1, { state: 'UNAVAILABLE', reason: 'unloaded' });
  expect(() => catalog.resolve(model, version)).toThrow(expect.objectContaining({ code, message }));
  expect(catalog.find(model, version)).toBeUndefined();
});

test('a model that the repository holds but never loaded is unknown to requests', async () => {
  bus.announce(`${modelsPrefix}m`, { model: 'm', reason: '' });
  await Promise.resolve();
  expect(() => catalog.resolve('m', '')).toThrow("Request for unknown model: 'm' is not found");
});

test('readiness: broken, loading and failed models count, unloaded and never loaded ones do not', async () => {
  expect(catalog.allReady()).toBe(true);
  bus.announce(`${modelsPrefix}never`, { model: 'never', reason: '' });
  await announce(1);
  await announce(2, { state: 'UNAVAILABLE', reason: 'unloaded' });
  expect(catalog.allReady()).toBe(true);
  await announce(2, { state: 'UNAVAILABLE', reason: 'out of memory' });
  expect(catalog.allReady()).toBe(false);
  await announce(2, { state: 'LOADING' });
  expect(catalog.allReady()).toBe(false);
  await announce(2);
  expect(catalog.allReady()).toBe(true);
  bus.announce(`${modelsPrefix}broken`, { model: 'broken', reason: 'bad config', wanted: false });
  await Promise.resolve();
  expect(catalog.allReady()).toBe(true);
  bus.announce(`${modelsPrefix}broken`, { model: 'broken', reason: 'bad config', wanted: true });
  await Promise.resolve();
  expect(catalog.allReady()).toBe(false);
});

/** What `worker` says of version 1; undefined: it is heard no more. */
async function say(worker: string, change: Partial<VersionAnnouncement> | undefined): Promise<void> {
  const key = `${versionsPrefix}m/1/${worker}`;
  const said: VersionAnnouncement = { model: 'm', version: 1, generation: 'g', state: 'READY', reason: '', worker };
  if (change === undefined) bus.withdraw(key);
  else bus.announce(key, { ...said, config, ...change });
  await Promise.resolve();
}

const missed = { code: 'UNAVAILABLE', message: expect.stringContaining('no model-worker serves it now') };
const unknown = { code: 'NOT_FOUND' };

test('a version whose last worker leaves or dies is missed, until it serves again or is forgotten', async () => {
  const resolve = () => catalog.resolve('m', '');
  await say('a', {});
  await say('a', { state: 'UNLOADING', reason: leavingReason });
  expect(resolve).toThrow(expect.objectContaining(missed));
  await say('a', undefined);
  expect(resolve).toThrow(expect.objectContaining(missed));
  expect(() => catalog.resolve('m', '1')).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  expect(catalog.allReady()).toBe(false);
  await say('b', { state: 'LOADING' });
  expect(resolve).toThrow(expect.objectContaining(missed));
  await say('b', {});
  expect(resolve().version).toBe('1');
  expect(clock.pending).toBe(0);
  await say('b', undefined);
  clock.advance(9 * 60_000);
  expect(resolve).toThrow(expect.objectContaining(missed));
  clock.advance(60_000);
  expect(resolve).toThrow(expect.objectContaining(unknown));
  expect(catalog.empty).toBe(true);
});

test('one that was unloaded on purpose, or never served, is not missed', async () => {
  const resolve = () => catalog.resolve('m', '');
  await say('a', {});
  await say('a', { state: 'UNLOADING' });
  expect(resolve).toThrow(expect.objectContaining(unknown));
  await say('a', undefined);
  expect([catalog.empty, clock.pending]).toEqual([true, 0]);
  await say('a', { state: 'UNAVAILABLE', reason: 'out of memory' });
  await say('a', undefined);
  expect([catalog.empty, clock.pending]).toEqual([true, 0]);
  await say('a', { state: 'LOADING' });
  expect(resolve).toThrow(expect.objectContaining(unknown));
});

test('what is missed is no more waited for when the catalog closes', async () => {
  await say('a', {});
  await say('a', undefined);
  expect(clock.pending).toBe(1);
  catalog.close();
  expect(clock.pending).toBe(0);
});

test('listeners hear of each change until they stop', async () => {
  let heard = 0;
  const stop = catalog.onChange(() => (heard += 1));
  await announce(1);
  await announce(2);
  stop();
  await announce(3);
  expect(heard).toBe(2);
});
