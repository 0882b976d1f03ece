import {
  type Bus,
  type Desire,
  type ModelFileCall,
  type ModelReport,
  type VersionAnnouncement,
  type WorkerAnnouncement,
  createLocalBus,
  derivedFrom,
  desiredPrefix,
  instanceSubject,
  modelFileSubject,
  reportsPrefix,
  twinsPrefix,
  versionsPrefix,
  workersPrefix,
} from '@shoal/bus';
import { seededRandom } from '@shoal/core';
import { silentLogger } from '@shoal/telemetry';
import { FakeClock } from '@shoal/testing';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ModelFiles } from './model-files';
import { Twins } from './twins';
import { Versions } from './versions';

const file = path.join(__dirname, '../../../../test/fixtures/models/diabetes_mlp/1/model.onnx');
const minute = 60_000;
const base: VersionAnnouncement = {
  model: 'diabetes_mlp',
  version: 1,
  generation: 'g',
  worker: 'w',
  state: 'READY',
  reason: '',
};
const options = { inputs: ['input'], output: 'zscore' };

let clock: FakeClock;
let bus: Bus;
const open: Twins[] = [];
const closers: (() => void)[] = [];
/** Names that the worker serves. */
const served = new Set<string>();
let loads = 0;

/** A worker that does at once what is wanted. */
function startWorker(): void {
  bus.announce<WorkerAnnouncement>(`${workersPrefix}w`, {
    id: 'w',
    mode: 'none',
    memoryBytes: 1e9,
    gpus: 0,
    leaving: false,
  });
  bus.announce(`${versionsPrefix}diabetes_mlp/1/w`, base);
  const report = (model: string, request: string, state: ModelReport['state']) =>
    bus.announce<ModelReport>(`${reportsPrefix}${model}/w`, {
      ...{ worker: 'w', model, seen: request, own: false, memoryBytes: 1, gpu: false, applied: request, state },
    });
  closers.push(
    bus.serve(instanceSubject(modelFileSubject, 'w'), async (call: ModelFileCall) => {
      const bytes = readFileSync(file);
      expect(call.model).toBe('diabetes_mlp');
      return { digest: await bus.blobs.put(bytes), bytes: bytes.length };
    }),
    bus.state.watch<Desire>(desiredPrefix, (key, entry) => {
      const model = key.slice(desiredPrefix.length);
      if (!entry) return;
      const { wanted, request } = entry.value;
      if (wanted && !served.has(model)) loads += 1;
      if (wanted) served.add(model);
      else served.delete(model);
      report(model, request, wanted ? 'READY' : 'ABSENT');
      const announced = `${versionsPrefix}${model}/1/w`;
      if (wanted) bus.announce<VersionAnnouncement>(announced, { ...base, model });
      else bus.withdraw(announced);
    }),
  );
}

function instance(id: string): Twins {
  const versions = new Versions(bus);
  const files = new ModelFiles(bus);
  const twins = new Twins({ id, bus, clock, random: seededRandom(1), logger: silentLogger, files, versions });
  closers.push(() => versions.close());
  open.push(twins);
  return twins;
}

/** Lets what a local bus has under way arrive. */
async function turns(): Promise<void> {
  for (let i = 0; i < 200; i += 1) await Promise.resolve();
}

/** Time goes by, minute after minute. */
async function pass(minutes: number): Promise<void> {
  for (let i = 0; i < minutes; i += 1) {
    clock.advance(minute);
    await turns();
  }
}

beforeEach(async () => {
  clock = new FakeClock();
  bus = createLocalBus({ clock });
  startWorker();
  await turns();
  loads = 0;
  served.clear();
});

afterEach(async () => {
  for (const twins of open.splice(0)) twins.close();
  for (const close of closers.splice(0)) close();
  await bus.close();
  if (clock.pending > 0) throw new Error(`${clock.pending} timers are left`);
});

async function get(twins: Twins) {
  const asked = twins.get(base, options);
  await turns();
  return asked;
}

test('a twin is loaded once, kept while it is used, and unloaded ten minutes after its last use', async () => {
  const twins = instance('e');
  await turns();
  const { model } = await get(twins);
  expect(derivedFrom(model)).toBe('diabetes_mlp');
  expect([...served]).toEqual([model]);
  await pass(9);
  expect((await get(twins)).model).toBe(model);
  await pass(10);
  expect([...served]).toEqual([model]);
  expect(loads).toBe(1);
  await pass(2);
  expect([...served]).toEqual([]);
  // And it is made again for who wants it again.
  expect((await get(twins)).model).toBe(model);
  expect([...served]).toEqual([model]);
  expect(loads).toBe(2);
});

test('what one instance no longer uses stays for another one that does', async () => {
  const [one, other] = [instance('e1'), instance('e2')];
  await turns();
  const { model } = await get(one);
  await pass(8);
  expect((await get(other)).model).toBe(model);
  expect(loads).toBe(1);
  await pass(8);
  expect([...served]).toEqual([model]);
  await pass(5);
  expect([...served]).toEqual([]);
});

test('twins of an instance that died are unloaded by those that live', async () => {
  const one = instance('e1');
  await turns();
  const { model } = await get(one);
  instance('e2');
  await turns();
  // As the bus tells of one that is heard no more.
  bus.withdraw(`${twinsPrefix}${model}/e1`);
  await pass(2);
  expect([...served]).toEqual([]);
});
