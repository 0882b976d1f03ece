import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cli } from '../support/paths';
import { type Shoal, startShoal } from '../support/shoal';

const run = promisify(execFile);
let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({ models: { simple: {} }, args: ['--model-control-mode=explicit'] });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

/** What a command prints; its exit code and complaint when it fails. */
async function command(...argv: string[]): Promise<string> {
  try {
    return (await run(process.execPath, [cli, ...argv, '--url', shoal.address])).stdout;
  } catch (thrown) {
    const { code, stderr } = thrown as { code: number; stderr: string };
    return `${code} ${stderr}`;
  }
}

test('a model is loaded, listed, reloaded and unloaded from a terminal', async () => {
  expect(await command('models')).toMatch(/\nsimple {2}no {6}- {7}- {8}not loaded\n$/);
  expect(await command('load', 'simple', '--replicas=1')).toMatch(
    /\nsimple {2}1, by request {2}worker {2}1 {8}READY\n$/,
  );
  expect(await command('workers')).toMatch(/\nworker {2}explicit {2}\d+ of \d+ MB +\d+ +simple\n$/);
  expect(await command('reload', 'simple')).toMatch(/READY\n$/);
  expect(await command('unload', 'simple')).toMatch(/\nsimple {2}no, by request {2}- /);
}, 60_000);

test('what cannot be is said, and the exit code is not 0', async () => {
  expect(await command('load', 'nope')).toBe("1 shoal: failed to load 'nope', failed to poll from model repository\n");
  expect(await command('unload', 'nope')).toBe("1 shoal: nothing is known of a model 'nope'\n");
  expect(await command('reload', 'simple')).toBe("1 shoal: 'simple' is not loaded; load it first\n");
  expect(await command('load', 'simple', '--replicas=2')).toContain("1 shoal: 'simple' cannot be placed on 2 workers");
  expect(await command('load', 'simple', '--replicas=0')).toContain('2 shoal: --replicas=0: expected a number from 1');
  expect(await command('models', 'nope')).toBe("1 shoal: no worker has a model 'nope'\n");
}, 60_000);
