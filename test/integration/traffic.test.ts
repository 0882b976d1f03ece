import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cli } from '../support/paths';
import { type Shoal, startShoal } from '../support/shoal';
import { float32, inferRequest, int32, int32Output } from '../support/tensors';
import { eventually } from '../support/waiting';

const run = promisify(execFile);
const all = { edit: (config: string) => config.replace(/version_policy.*/, ''), append: 'version_policy: { all { } }' };
let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({
    models: {
      versions: { from: 'golden-models', ...all },
      identity_fp32: { append: all.append, copies: [2] },
    },
  });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

/** What a command prints; its exit code and complaint when it fails. */
async function command(...argv: string[]): Promise<string> {
  try {
    const { stdout } = await run(process.execPath, [cli, ...argv, '--url', shoal.address]);
    return stdout;
  } catch (thrown) {
    const { code, stderr } = thrown as { code: number; stderr: string };
    return `${code} ${stderr}`;
  }
}

/** The version that answers `versions`, by what it adds to its input. */
async function version(metadata: Record<string, string> = {}): Promise<number> {
  const answer = await shoal.client.infer(inferRequest('versions', [int32('INPUT0', [1, 1], [100])]), { metadata });
  const added = (int32Output(answer, 'OUTPUT0')[0] ?? 0) - 100;
  expect(answer.model_version).toBe(String(added));
  return added;
}

test('a canary from one command to the next: shown, tried, promoted, rolled back, cleared', async () => {
  expect(await version()).toBe(3);
  expect(await command('traffic', 'versions')).toContain('no rules: the latest version that is ready answers');
  expect(await command('traffic', 'versions', '--canary=3', '--percent=0', '--header', 'x-canary=1')).toBe(
    'versions: changed\n  stable: latest -> version 2\n  canary: none -> version 3, 0 %, header x-canary=1\n',
  );
  expect([await version(), await version({ 'x-canary': '1' })]).toEqual([2, 3]);
  const shown = await command('traffic', 'versions');
  expect(shown).toContain('version 2\n           1 requests, 1 answered, 0 failed');
  expect(shown).toContain('canary   version 3, 0 %, header x-canary=1\n           1 requests, 1 answered, 0 failed');
  expect(await command('promote', 'versions')).toContain('stable: version 2 -> version 3\n  canary: version 3');
  expect(await version()).toBe(3);
  expect(await command('rollback', 'versions')).toContain('stable: version 3 -> version 2\n');
  expect(await version()).toBe(2);
  expect(await command('traffic')).toMatch(/^versions\n {2}stable/);
  expect(await command('traffic', 'versions', '--clear')).toContain('the rules are gone');
  expect([await version(), await command('traffic')]).toEqual([3, 'No model has traffic rules.\n']);
}, 60_000);

test('wrong commands end with a sentence', async () => {
  expect(await command('promote', 'versions')).toBe("1 shoal: model 'versions' has no canary that could be promoted\n");
  expect(await command('traffic', 'versions', '--canary=9', '--percent=1')).toContain(
    "'versions' version 9 is not found",
  );
  expect(await command('promote')).toContain('2 shoal: shoal promote needs a model');
  expect(await command('traffic', '--canary=1', '--percent=1')).toContain('2 shoal: shoal traffic needs a model');
}, 30_000);

test('a shadow that differs is shown with where and by how much', async () => {
  await command('traffic', 'versions', '--stable=1', '--shadow=3');
  expect(await version()).toBe(1);
  await eventually('it is compared', async () => (await command('traffic', 'versions')).includes('1 compared'));
  const shown = await command('traffic', 'versions');
  expect(shown).toContain('1 compared: 0 equal, 1 different; 0 failed');
  expect(shown).toContain('largest difference 2; first in output OUTPUT0: element 0 is the first to differ');
}, 60_000);

test('large answers are compared as they were, while the memory of others is used again', async () => {
  await command('traffic', 'identity_fp32', '--shadow=2');
  const length = 1 << 17;
  const ask = async (value: number) => {
    const input = float32('INPUT0', [1, length], new Array<number>(length).fill(value));
    const {
      raw_output_contents: [raw],
    } = await shoal.client.infer(inferRequest('identity_fp32', [input]));
    return [raw?.readFloatLE(0), raw?.readFloatLE(4 * (length - 1))];
  };
  const values = Array.from({ length: 24 }, (_, i) => i);
  for (let i = 0; i < values.length; i += 4) {
    const some = values.slice(i, i + 4);
    expect(await Promise.all(some.map(ask))).toEqual(some.map((value) => [value, value]));
  }
  const done = /(\d+) compared: (\d+) equal, 0 different; 0 failed, (\d+) dropped, 0 skipped/;
  await eventually('all are compared', async () => {
    const [, compared, equal, dropped] = done.exec(await command('traffic', 'identity_fp32')) ?? [];
    expect(equal).toBe(compared);
    return Number(compared) > 0 && Number(compared) + Number(dropped) === values.length;
  });
}, 60_000);
