import { type Bus, type VersionAnnouncement, createLocalBus, modelsPrefix, versionsPrefix } from '@shoal/bus';
import { modelConfig } from '../testing/model-configs';
import { Catalog } from './catalog';

const config = modelConfig('m', 8, ['INPUT0 INT32[1]'], ['OUTPUT0 INT32[1]']);

let bus: Bus;
let catalog: Catalog;

beforeEach(() => {
  bus = createLocalBus();
  catalog = new Catalog(bus);
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

test('listeners hear of each change until they stop', async () => {
  let heard = 0;
  const stop = catalog.onChange(() => (heard += 1));
  await announce(1);
  await announce(2);
  stop();
  await announce(3);
  expect(heard).toBe(2);
});
