import { type Bus, createLocalBus, modelsPrefix, versionsPrefix } from '@shoal/bus';
import { systemClock } from '@shoal/core';
import { loadService } from '@shoal/rpc';
import { goldenCase } from '../testing/golden';
import { Catalog } from './catalog';
import { type IndexEntry, repositoryIndex } from './repository-index';

const { RepositoryIndex: method } = loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService');

function recorded(name: string): IndexEntry[] {
  const { response } = goldenCase('repository-statistics-settings', name);
  const message = method?.responseDeserialize(Buffer.from(response ?? '', 'base64')) as { models: IndexEntry[] };
  return message.models;
}

let bus: Bus;
let catalog: Catalog;

beforeEach(() => {
  bus = createLocalBus();
  catalog = new Catalog(bus, systemClock);
});

afterEach(async () => {
  catalog.close();
  await bus.close();
});

/** Announces what would give these entries, last first: the order of announcements must not matter. */
async function announce(entries: readonly IndexEntry[]): Promise<void> {
  for (const { name, version, state, reason } of entries.toReversed()) {
    bus.announce(`${modelsPrefix}${name}`, { model: name, reason: '' });
    const key = { model: name, version: Number(version), generation: '1' };
    bus.announce(`${versionsPrefix}${name}/${version}`, { ...key, state, reason, config: {} });
  }
  await Promise.resolve();
}

test.each(['index', 'index_after_unload'])('%s as Triton lists it', async (name) => {
  await announce(recorded(name));
  expect(repositoryIndex(catalog, false)).toEqual(recorded(name));
});

test('index_ready leaves out what does not serve', async () => {
  await announce(recorded('index_after_unload'));
  bus.announce(`${modelsPrefix}never`, { model: 'never', reason: '' });
  bus.announce(`${modelsPrefix}broken`, { model: 'broken', reason: 'no version' });
  await Promise.resolve();
  expect(repositoryIndex(catalog, true)).toEqual(recorded('index_ready').filter(({ name }) => name !== 'lc_one'));
});

test('a model that was never loaded shows its name, a broken one its reason', async () => {
  bus.announce(`${modelsPrefix}never`, { model: 'never', reason: '' });
  bus.announce(`${modelsPrefix}broken`, { model: 'broken', reason: 'no version' });
  await Promise.resolve();
  expect(repositoryIndex(catalog, false)).toEqual([
    { name: 'broken', version: '', state: 'UNAVAILABLE', reason: 'no version' },
    { name: 'never', version: '', state: '', reason: '' },
  ]);
});

test('what is withdrawn is forgotten', async () => {
  await announce(recorded('index'));
  bus.withdraw(`${versionsPrefix}simple/1`);
  bus.withdraw(`${modelsPrefix}simple`);
  await Promise.resolve();
  expect(repositoryIndex(catalog, false).map(({ name }) => name)).not.toContain('simple');
});
