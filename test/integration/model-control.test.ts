import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fixtures } from '../support/paths';
import { TemporaryRepository } from '../support/repository';
import { type Shoal, startShoal } from '../support/shoal';
import { inferRequest, int32, int32Output, isSimpleAnswer, simpleRequest } from '../support/tensors';
import { eventually } from '../support/waiting';

const golden = (model: string, version: string) => path.join(fixtures, 'golden-models', model, version, 'model.onnx');

async function index(shoal: Shoal): Promise<string[]> {
  const { models } = await shoal.client.call('RepositoryIndex', {});
  return models.map(({ name, version, state, reason }) => [name, version, state, reason].filter(Boolean).join(' '));
}

async function added(shoal: Shoal, model: string, version = ''): Promise<number> {
  const request = inferRequest(model, [int32('INPUT0', [1, 1], [100])], { model_version: version });
  return int32Output(await shoal.client.infer(request), 'OUTPUT0')[0]! - 100;
}

describe('explicit mode', () => {
  let shoal: Shoal;

  beforeAll(async () => {
    shoal = await startShoal({
      models: { simple: {}, identity_fp32: {}, lc_one: { from: 'golden-models' }, not_onnx: { from: 'hostile' } },
      args: ['--model-control-mode=explicit', '--load-model=simple'],
    });
  }, 60_000);

  afterAll(() => shoal.stop(), 40_000);

  test('only the named model is loaded, the others are known', async () => {
    expect(await index(shoal)).toEqual(['identity_fp32', 'lc_one', 'not_onnx', 'simple 1 READY']);
    expect(shoal.runners()).toHaveLength(1);
    const { models } = await shoal.client.call('RepositoryIndex', { ready: true });
    expect(models.map(({ name }) => name)).toEqual(['simple']);
  });

  test('load and unload', async () => {
    await shoal.client.call('RepositoryModelLoad', { model_name: 'lc_one' });
    expect(await added(shoal, 'lc_one')).toBe(2);
    await shoal.client.call('RepositoryModelUnload', { model_name: 'lc_one' });
    expect(await index(shoal)).toContain('lc_one 2 UNAVAILABLE unloaded');
  });

  test('a model that is no model: a reason, in the refusal and in the index', async () => {
    const { code, details } = await shoal.client.failure('RepositoryModelLoad', { model_name: 'not_onnx' });
    expect(code).toBe('INVALID_ARGUMENT');
    expect(details).toMatch(/^load failed for model 'not_onnx': version 1 is at UNAVAILABLE state: Internal: .*;\n$/);
    const entry = (await index(shoal)).find((line) => line.startsWith('not_onnx'));
    expect(entry).toMatch(/^not_onnx 1 UNAVAILABLE Internal: /);
    await shoal.client.call('RepositoryModelUnload', { model_name: 'not_onnx' });
  });

  test('a config override is used until the model is unloaded', async () => {
    const override = { config: { string_param: JSON.stringify({ max_batch_size: '4' }) } };
    const maxBatch = async () => (await shoal.client.call('ModelConfig', { name: 'simple' })).config?.max_batch_size;
    const load = (parameters = {}) => shoal.client.call('RepositoryModelLoad', { model_name: 'simple', parameters });
    expect(await maxBatch()).toBe(8);
    await load(override);
    expect(await maxBatch()).toBe(4);
    const { config } = await shoal.client.call('ModelConfig', { name: 'simple' });
    expect(config?.input.map(({ name, dims }) => [name, dims])).toEqual([
      ['INPUT0', [16]],
      ['INPUT1', [16]],
    ]);
    expect(isSimpleAnswer(await shoal.client.infer(simpleRequest(3)), 3)).toBe(true);
    await load();
    expect(await maxBatch()).toBe(4);
    await shoal.client.call('RepositoryModelUnload', { model_name: 'simple' });
    await load();
    expect(await maxBatch()).toBe(8);
  });

  test('files come with the load call', async () => {
    const config = JSON.stringify({ platform: 'onnxruntime_onnx', max_batch_size: 8, version_policy: { all: {} } });
    await shoal.client.call('RepositoryModelLoad', {
      model_name: 'uploaded',
      parameters: {
        config: { string_param: config },
        'file:1/model.onnx': { bytes_param: readFileSync(golden('versions', '3')) },
        'file:7/model.onnx': { bytes_param: readFileSync(golden('versions', '1')) },
      },
    });
    expect(await added(shoal, 'uploaded', '1')).toBe(3);
    expect(await added(shoal, 'uploaded', '7')).toBe(1);
    expect(await added(shoal, 'uploaded')).toBe(1);
    const metadata = await shoal.client.call('ModelMetadata', { name: 'uploaded' });
    expect(metadata).toMatchObject({
      versions: ['1', '7'],
      inputs: [{ name: 'INPUT0', datatype: 'INT32', shape: [-1, 1] }],
    });
    await shoal.client.call('RepositoryModelUnload', { model_name: 'uploaded' });
  });

  test.each(['file:../../escape/model.onnx', 'file:/1/model.onnx', 'file:1/../../x', `file:1/${'x'.repeat(300)}`])(
    'the file name %j is refused',
    async (name) => {
      const { code, details } = await shoal.client.failure('RepositoryModelLoad', {
        model_name: 'uploaded',
        parameters: { config: { string_param: '{}' }, [name]: { bytes_param: Buffer.from('x') } },
      });
      expect(code).toBe('INTERNAL');
      expect(details).toBe("failed to load 'uploaded', failed to poll from model repository");
    },
  );

  test('many loads and unloads of one model at once end in one of the two states', async () => {
    const calls = Array.from({ length: 12 }, (_, i) =>
      i % 2 === 0
        ? shoal.client.failure('RepositoryModelLoad', { model_name: 'identity_fp32' })
        : shoal.client.failure('RepositoryModelUnload', { model_name: 'identity_fp32' }),
    );
    for (const { code } of await Promise.all(calls)) expect(['OK', 'INVALID_ARGUMENT', 'UNAVAILABLE']).toContain(code);
    await shoal.client.call('RepositoryModelLoad', { model_name: 'identity_fp32' });
    expect(await index(shoal)).toContain('identity_fp32 1 READY');
    await shoal.client.call('RepositoryModelUnload', { model_name: 'identity_fp32' });
    await eventually('one process is left', () => shoal.runners().length === 1);
  }, 30_000);
});

describe('poll mode', () => {
  let repository: TemporaryRepository;
  let shoal: Shoal;

  beforeAll(async () => {
    repository = new TemporaryRepository({ lc_one: { from: 'golden-models' } });
    const args = ['--model-control-mode=poll', '--repository-poll-secs=1', '--strict-readiness=false'];
    shoal = await startShoal({ repository, args });
  }, 60_000);

  afterAll(async () => {
    await shoal.stop();
    repository.delete();
  }, 40_000);

  test('follows what comes, changes and goes', async () => {
    expect(await added(shoal, 'lc_one')).toBe(2);

    repository.add('simple');
    await eventually(
      'the new model is served',
      async () => (await shoal.client.call('ModelReady', { name: 'simple' })).ready,
    );
    expect(isSimpleAnswer(await shoal.client.infer(simpleRequest(9)), 9)).toBe(true);

    copyFileSync(golden('lc_one', '1'), repository.path('lc_one', '2', 'model.onnx'));
    await eventually('the changed model is served', async () => (await added(shoal, 'lc_one')) === 1);

    repository.add('broken', { from: 'hostile', fixture: 'not_onnx' });
    await eventually('the broken one is listed', async () =>
      (await index(shoal)).some((line) => /^broken 1 UNAVAILABLE Internal: /.test(line)),
    );

    repository.remove('simple');
    await eventually(
      'the removed model is not served',
      async () => !(await shoal.client.call('ModelReady', { name: 'simple' })).ready,
    );
    expect(await added(shoal, 'lc_one')).toBe(1);
    await eventually('one process is left', () => shoal.runners().length === 1);
  }, 40_000);

  test('load and unload calls are refused', async () => {
    for (const method of ['RepositoryModelLoad', 'RepositoryModelUnload'] as const) {
      expect(await shoal.client.failure(method, { model_name: 'lc_one' })).toEqual({
        code: 'UNAVAILABLE',
        details: 'explicit model load / unload is not allowed if polling is enabled',
      });
    }
  });
});
