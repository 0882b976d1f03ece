import type { Desire } from '@shoal/bus';
import { modelFacts } from './model-facts';

const files = [{ path: '1/model.onnx', digest: 'd', bytes: 1000 }];

async function memoryOf(memoryMb: string | undefined): Promise<number> {
  const parameters = memoryMb === undefined ? {} : { memory_mb: { string_value: memoryMb } };
  const config = JSON.stringify({ name: 'm', platform: 'onnxruntime_onnx', parameters });
  const desire: Desire = { request: 'r', wanted: true, since: 0, at: 0, by: '', via: '', config, files };
  return (await modelFacts('m', undefined, desire, [])).memoryBytes;
}

test('what a model takes is estimated by its files, unless its config says it', async () => {
  expect(await memoryOf(undefined)).toBe(1500);
  expect(await memoryOf('3')).toBe(3 * 2 ** 20);
});

// JSON has no such numbers: others would be told null, and place it elsewhere than this worker does.
test.each(['Infinity', '1e400', '-1', 'NaN', 'much'])('%s megabytes are not believed', async (said) => {
  expect(await memoryOf(said)).toBe(1500);
});

test('a load call’s config that asks for more instances than there may be is not counted out', async () => {
  const config = JSON.stringify({ name: 'm', instance_group: [{ count: 1_000_000 }] });
  const desire: Desire = { request: 'r', wanted: true, since: 0, at: 0, by: '', via: '', config, files };
  expect((await modelFacts('m', undefined, desire, [])).memoryBytes).toBe(1500);
});
