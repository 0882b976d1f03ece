import { startShoal } from '../support/shoal';
import { eventually } from '../support/waiting';

test('health and readiness tell the truth from start to end', async () => {
  const shoal = await startShoal({
    models: { simple: {}, identity_fp32: {}, broken: { from: 'hostile', fixture: 'not_onnx' } },
    args: ['--model-control-mode=explicit', '--load-model=simple', '--load-model=identity_fp32'],
  });
  const ready = async () => (await shoal.client.call('ServerReady', {})).ready;
  const modelReady = async (name: string, version = '') =>
    (await shoal.client.call('ModelReady', { name, version })).ready;
  const seen: string[] = [];
  const other: string[] = [];
  shoal.client.watch('', (status) => seen.push(status));
  shoal.client.watch('no.such.Service', (status) => other.push(status));
  await eventually('the first status', () => seen.length > 0 && other.length > 0);

  expect((await shoal.client.call('ServerLive', {})).live).toBe(true);
  expect(await ready()).toBe(true);
  expect(await modelReady('simple')).toBe(true);
  expect(await modelReady('simple', '1')).toBe(true);
  expect(await modelReady('simple', '2')).toBe(false);
  expect(await modelReady('nope')).toBe(false);
  expect((await shoal.client.check()).status).toBe('SERVING');
  expect((await shoal.client.check('inference.GRPCInferenceService')).status).toBe('SERVING');

  // A model that does not come up makes the whole server not ready, as long as readiness is strict.
  expect((await shoal.client.failure('RepositoryModelLoad', { model_name: 'broken' })).code).toBe('INVALID_ARGUMENT');
  await eventually('it is not ready', async () => !(await ready()));
  expect((await shoal.client.check()).status).toBe('NOT_SERVING');
  expect(await modelReady('broken')).toBe(false);
  expect(await modelReady('simple')).toBe(true);
  await shoal.client.call('RepositoryModelUnload', { model_name: 'broken' });
  await eventually('it is ready again', ready);
  await eventually('the watch followed', () => seen.length >= 3);
  expect(seen.slice(0, 3)).toEqual(['SERVING', 'NOT_SERVING', 'SERVING']);

  await shoal.client.call('RepositoryModelUnload', { model_name: 'simple' });
  expect(await modelReady('simple')).toBe(false);
  expect(await modelReady('identity_fp32')).toBe(true);

  await shoal.stop();
  await eventually('the watches ended', () => seen.includes('ENDED') && other.includes('ENDED'));
  expect(seen[seen.indexOf('ENDED') - 1]).toBe('NOT_SERVING');
}, 60_000);

test('with --strict-readiness=false a model that is not ready does not matter', async () => {
  const shoal = await startShoal({
    models: { simple: {}, broken: { from: 'hostile', fixture: 'not_onnx' } },
    args: ['--strict-readiness=false'],
  });
  expect((await shoal.client.call('ServerReady', {})).ready).toBe(true);
  expect((await shoal.client.check()).status).toBe('SERVING');
  await shoal.stop();
}, 60_000);
