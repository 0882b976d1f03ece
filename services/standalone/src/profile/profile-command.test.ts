import { readProfile } from '@shoal/scheduler';
import { type Shoal, startShoal } from '../../../../test/support/shoal';
import { profile } from './profile-command';

jest.setTimeout(60_000);

let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({ models: { digits_cnn: {} } });
});

afterAll(() => shoal.stop());

async function run(...argv: readonly string[]): Promise<string> {
  let stdout = '';
  await profile([...argv, '--url', shoal.address, '--window-ms', '200', '--warmup-ms', '50', '--rounds', '1'], {
    env: {},
    stdout: { write: (text: string) => (stdout += text) },
    stderr: process.stderr,
    onInterrupt: () => undefined,
  });
  return stdout;
}

test('a running model is measured, and what comes of it is a profile', async () => {
  const json = JSON.parse(await run('digits_cnn', '--sizes', '1,8')) as object;
  const measured = readProfile(json);
  expect(measured).toMatchObject({ model: 'digits_cnn', dynamicBatching: true });
  expect(measured.points.map(({ rows }) => rows)).toEqual([1, 8]);
  for (const { runMs, noiseMs } of measured.points) {
    expect(runMs).toBeGreaterThan(0);
    expect(noiseMs).toHaveLength(7);
  }
  expect(measured.overheadMs).toBeGreaterThan(0);
});

test('what the server refuses is told in its words, and a file that cannot be written', async () => {
  await expect(run('nobody')).rejects.toThrow("unknown model: 'nobody' is not found");
  await expect(run('digits_cnn', '--sizes', '4096')).rejects.toThrow('--sizes=4096: expected batch sizes from 1 to');
  await expect(run()).rejects.toThrow('shoal profile needs a model');
  // Before it asks the server, let alone measures.
  await expect(run('nobody', '--out', '/nowhere/profile.json')).rejects.toThrow(
    '--out /nowhere/profile.json cannot be',
  );
});
