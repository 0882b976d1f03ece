import { copyFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Load } from '../support/load';
import { fixtures } from '../support/paths';
import { isAlive } from '../support/processes';
import { type Shoal, startShoal } from '../support/shoal';
import { inferRequest, int32, int32Output } from '../support/tensors';
import { eventually } from '../support/waiting';

/** `lc_one` adds its version's number: the files of its versions 1 and 2 are the old and the new model. */
const model = 'lc_one';
let shoal: Shoal;

beforeAll(async () => {
  const args = ['--model-control-mode=explicit', `--load-model=${model}`];
  shoal = await startShoal({ models: { [model]: { from: 'golden-models' } }, args });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

const served = () => shoal.repository.path(model, '2', 'model.onnx');
const install = (version: 1 | 2) =>
  copyFileSync(path.join(fixtures, 'golden-models', model, String(version), 'model.onnx'), served());
const load = () => shoal.client.call('RepositoryModelLoad', { model_name: model });

/** What the model adds to its input now. */
async function added(value: number): Promise<number> {
  const response = await shoal.client.infer(inferRequest(model, [int32('INPUT0', [1, 1], [value])]));
  return int32Output(response, 'OUTPUT0')[0]! - value;
}

test('reloads under load fail no request, and each answer is the old model’s or the new one’s', async () => {
  expect(await added(5)).toBe(2);
  const seen: number[] = [];
  const clients = new Load(16, async (index) => {
    const sum = await added(index);
    seen.push(sum);
    return sum === 1 || sum === 2;
  });
  for (const version of [1, 2, 1] as const) {
    const before = clients.answered;
    await eventually('requests are answered', () => clients.answered > before + 50);
    const runners = shoal.runners();
    install(version);
    await load();
    // From here on the new model answers, whoever asks.
    expect(await added(1000)).toBe(version);
    await eventually('the old process ends', () => !runners.some(isAlive));
  }
  await clients.stop();
  expect(clients.failures).toEqual([]);
  expect(clients.wrong).toEqual([]);
  expect(new Set(seen)).toEqual(new Set([1, 2]));
  expect(shoal.runners()).toHaveLength(1);
}, 60_000);

test('a reload that fails leaves the old model serving', async () => {
  const runners = shoal.runners();
  const clients = new Load(4, async (index) => (await added(index)) === 1);
  writeFileSync(served(), 'no model');
  const failure = await shoal.client.failure('RepositoryModelLoad', { model_name: model });
  expect(failure.code).toBe('INVALID_ARGUMENT');
  expect(failure.details).toMatch(/^load failed for model 'lc_one': version 2 is at UNAVAILABLE state: /);
  const before = clients.answered;
  await eventually('requests are answered', () => clients.answered > before + 20);
  await clients.stop();
  expect(clients.failures).toEqual([]);
  expect(clients.wrong).toEqual([]);
  expect(shoal.runners()).toEqual(runners);
  install(2);
  await load();
  expect(await added(1)).toBe(2);
}, 30_000);

test('unloading ends the process; loading again starts another', async () => {
  const runners = shoal.runners();
  const { models } = await shoal.client.call('RepositoryIndex', {});
  expect(models).toEqual([{ name: model, version: '2', state: 'READY', reason: '' }]);
  await shoal.client.call('RepositoryModelUnload', { model_name: model });
  await eventually('the process is gone', () => !runners.some(isAlive));
  expect(shoal.runners()).toEqual([]);
  const failure = await shoal.client.failure('ModelInfer', inferRequest(model, [int32('INPUT0', [1, 1], [1])]));
  expect(failure.code).toBe('NOT_FOUND');
  await load();
  expect(await added(7)).toBe(2);
  expect(shoal.runners()).toHaveLength(1);
}, 30_000);

test('unloading under load refuses what comes later and answers the rest', async () => {
  const clients = new Load(16, async (index) => (await added(index)) === 2);
  await eventually('requests are answered', () => clients.answered > 100);
  await shoal.client.call('RepositoryModelUnload', { model_name: model });
  const at = performance.now();
  await eventually('requests are refused', () => clients.failures.length > 20);
  await clients.stop();
  expect(clients.wrong).toEqual([]);
  expect(clients.outcomes.filter((one) => one.started > at && one.right)).toEqual([]);
  expect(clients.failures.filter(({ code }) => code !== 'NOT_FOUND' && code !== 'UNAVAILABLE')).toEqual([]);
  await load();
}, 30_000);
