import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cli } from '../support/paths';
import { type Shoal, startShoal } from '../support/shoal';
import { eventually } from '../support/waiting';

const run = promisify(execFile);
let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({ models: { digits_cnn: {} } });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

function command(...argv: string[]): Promise<string> {
  return run(process.execPath, [cli, ...argv, '--url', shoal.address]).then(
    ({ stdout }) => stdout,
    (thrown: { code: number; stderr: string }) => `${thrown.code} ${thrown.stderr}`,
  );
}

function infer(id: string, parameters = {}) {
  return shoal.client.call('ModelInfer', {
    model_name: 'digits_cnn',
    id,
    inputs: [{ name: 'image', datatype: 'FP32', shape: [2, 1, 8, 8] }],
    raw_input_contents: [Buffer.alloc(2 * 64 * 4)],
    parameters,
  });
}

test('a response says which batch its request was in, where that was asked for', async () => {
  const { parameters, outputs, id } = await infer('asked', { 'shoal.why': { bool_param: true } });
  const of = (name: string) => {
    const parameter = parameters[`shoal.${name}`];
    return parameter?.int64_param ?? parameter?.string_param;
  };
  expect({ requests: of('batch_requests'), rows: of('batch_size'), reason: of('reason') }).toEqual({
    requests: 1,
    rows: 2,
    reason: 'delay',
  });
  expect(of('queue_us')).toBeGreaterThanOrEqual(0);
  expect(of('batch_id')).toBeGreaterThan(0);
  expect(of('runner')).toMatch(/./);
  // The answer itself is whole.
  expect(id).toBe('asked');
  expect(outputs.map(({ shape }) => shape[0])).toEqual([2, 2]);
  const plain = await infer('plain');
  expect(Object.keys(plain.parameters).filter((name) => name.startsWith('shoal.'))).toEqual([]);
});

test('shoal why tells of a recent request; of others that nobody remembers them', async () => {
  await infer('order-4711');
  // Its runner tells batching of the end after it has answered.
  const text = await eventually('the batch ended', async () => {
    const told = await command('why', 'order-4711');
    return /took +\d/.test(told) ? told : undefined;
  });
  expect(text).toMatch(/^order-4711\n {2}model +digits_cnn\/1\n {2}accepted +\d{4}-.* by .*, 2 rows\n/);
  expect(text).toContain('the oldest request had waited for as long as the model allows (delay)');
  expect(text).toMatch(/with +1 request, 2 rows:\n/);
  expect(await command('why', 'nobody')).toMatch(/^1 shoal: nothing is remembered of a request 'nobody'/);
  expect(await command('why')).toMatch(/^2 shoal: shoal why needs a request/);
});

test('shoal top, where nobody looks at a terminal: one look at what happened', async () => {
  const [text] = await Promise.all([
    command('top', '--interval-secs', '1'),
    (async () => {
      for (let i = 0; i < 30; i += 1) await infer(`r${i}`);
    })(),
  ]);
  expect(text).toMatch(/^model +req\/s .*batch sizes\n-.*\ndigits_cnn\/1 /);
  expect(text).not.toContain('\u001B');
});
