import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BenchRow } from '@shoal/load';
import { cli } from '../../../test/support/paths';
import { eventually } from '../../../test/support/waiting';
import { type Shoal, startShoal } from '../../../test/support/shoal';

jest.setTimeout(60_000);

let shoal: Shoal;

beforeAll(async () => {
  const models = { simple: {}, identity_fp32: {}, fails_on_poison: {}, simple_string: {}, digits_cnn: {} };
  shoal = await startShoal({ models, args: ['--allow-client-shm=true'] });
});

afterAll(() => shoal.stop());

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `shoal bench` against the server with short windows. */
function run(...argv: readonly string[]): Promise<Outcome> {
  return start(...argv).outcome;
}

function start(...argv: readonly string[]): { readonly child: ChildProcess; readonly outcome: Promise<Outcome> } {
  const short = ['-u', shoal.address, '-p', '300', '--warmup-interval', '100'];
  const child = spawn(process.execPath, [cli, 'bench', ...short, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const outcome = new Promise<Outcome>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, outcome };
}

async function rowsOf(...argv: readonly string[]): Promise<BenchRow[]> {
  const { code, stdout, stderr } = await run(...argv, '--format', 'json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return (JSON.parse(stdout) as { rows: BenchRow[] }).rows;
}

/** Inferences of a model so far, as the server counts them. */
async function inferences(name: string): Promise<number> {
  const { model_stats } = await shoal.client.call('ModelStatistics', { name });
  return model_stats[0]?.inference_count ?? 0;
}

test('a closed loop, level after level, with what the server says of it', async () => {
  const rows = await rowsOf('-m', 'simple', '--concurrency-range', '1:5:2', `--server-pid=${shoal.pid}`);
  expect(rows.map(({ level }) => level)).toEqual([1, 3, 5].map((concurrency) => ({ kind: 'closed', concurrency })));
  for (const row of rows) {
    expect(row.failed).toBe(0);
    expect(row.answered).toBeGreaterThan(0);
    expect(row.latency.count).toBe(row.answered);
    expect(row.latency.p50).toBeLessThanOrEqual(row.latency.p99);
    // The server's counters are read around the window, not at its very edges.
    expect(row.server?.succeeded).toBeGreaterThanOrEqual(row.answered - 10);
    expect(row.server?.batch).toBe(1);
    expect(row.serverProcesses.map(({ pid }) => pid)).toContain(shoal.pid);
  }
});

test('an open loop sends as many as are due, however the server does', async () => {
  const [row] = await rowsOf(
    ...['-m', 'digits_cnn', '--request-rate-range', '400', '--request-distribution', 'poisson', '-p', '1000'],
  );
  const { answered, failed, windowMs } = row!;
  const expected = (400 * windowMs) / 1000;
  expect(failed).toBe(0);
  // Six standard deviations.
  expect(Math.abs(answered - expected)).toBeLessThan(6 * Math.sqrt(expected));
  expect(row!.latency.p50).toBeGreaterThanOrEqual(row!.latencyFromSend.p50);
});

test.each([
  ['unary', []],
  ['streams', ['--streaming', '--streams', '2']],
  ['shared memory', ['--shared-memory', 'system']],
  ['shared memory on a stream', ['--shared-memory', 'system', '--streaming']],
  ['a batch with ids', ['-b', '4', '--request-ids']],
  ['several connections, each call with a deadline', ['--connections', '2', '--request-timeout', '20000']],
])('a tensor whose size the command line says, %s', async (_, argv) => {
  const [row] = await rowsOf('-m', 'identity_fp32', '--shape', 'INPUT0:1000', '--concurrency-range', '4', ...argv);
  expect(row?.failures).toEqual({});
  expect(row?.answered).toBeGreaterThan(0);
  expect(readdirSync('/dev/shm').filter((name) => name.startsWith('bench-'))).toEqual([]);
});

describe('data from a file', () => {
  let file: string;

  beforeAll(() => {
    file = path.join(mkdtempSync(path.join(tmpdir(), 'shoal-bench-test-')), 'data.json');
  });

  afterAll(() => rmSync(path.dirname(file), { recursive: true }));

  test('entries take turns; failures are counted by status, with what the server said, and the run goes on', async () => {
    writeFileSync(
      file,
      JSON.stringify({
        data: [
          { X: [1], POISON: [0] },
          { X: [1], POISON: [1] },
        ],
      }),
    );
    const [row] = await rowsOf('-m', 'fails_on_poison', '--input-data', file);
    expect(row?.answered).toBeGreaterThan(0);
    expect(row?.failed).toBeGreaterThan(0);
    expect(Math.abs(row!.answered - row!.failed)).toBeLessThanOrEqual(1);
    const failures = Object.entries(row!.failures);
    expect(failures).toEqual([['INTERNAL', { count: row?.failed, example: expect.stringContaining('Gather') }]]);
  });

  test('what does not fit is told before anything is sent', async () => {
    writeFileSync(file, JSON.stringify({ data: [{ X: [1], POISON: [0, 0] }] }));
    expect(await run('-m', 'fails_on_poison', '--input-data', file)).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('data[0].POISON: '),
    });
  });
});

test('Ctrl-C ends a run early, in order, with what was seen until then', async () => {
  const argv = ['-m', 'identity_fp32', '--shape', 'INPUT0:10', '--shared-memory', 'system', '-p', '600000'];
  const before = await inferences('identity_fp32');
  const running = start(...argv, '--warmup-interval', '0', '--concurrency-range', '2,4', '--format', 'json');
  const regions = () => readdirSync('/dev/shm').filter((name) => name.startsWith('bench-'));
  await eventually('it is under way', async () => (await inferences('identity_fp32')) > before + 20);
  expect(regions()).toHaveLength(2);
  running.child.kill('SIGINT');
  const { code, stdout } = await running.outcome;
  expect(code).toBe(0);
  expect((JSON.parse(stdout) as { rows: BenchRow[] }).rows).toHaveLength(1);
  expect(regions()).toEqual([]);
});

test('a table for people, and perf_analyzer’s CSV', async () => {
  const table = await run('-m', 'simple', '--percentile', '99.9');
  expect(table.stdout).toMatch(/^\| in flight \| infer\/s \| p50 ms \| +p90 \| +p95 \| +p99 \| +p99\.9 \| queue ms \|/);
  const csv = await run('-m', 'simple', '-f', 'csv', '--request-rate-range', '50');
  const [head, line, ...rest] = csv.stdout.trimEnd().split('\n');
  expect(head).toMatch(/^Request Rate,Inferences\/Second,.*,p99 latency,/);
  expect(line).toMatch(/^50,[\d.]+,\d+,\d+,/);
  expect(rest).toEqual([]);
});

test.each([
  [['-m', 'nope'], 1, "shoal: Request for unknown model: 'nope' is not found\n"],
  [[], 2, 'shoal: which model? Name it with -m NAME\n'],
  [['-m', 'identity_fp32'], 2, '--shape=INPUT0:16'],
  [['-m', 'simple', '-b', '9'], 2, 'at most 8'],
  [['-m', 'simple', '--concurrency-range', '0'], 2, '--concurrency-range=0'],
  [['-m', 'simple', '-u', '127.0.0.1:1'], 1, '127.0.0.1:1 does not answer'],
  [['-m', 'simple', '--concurency-range', '1'], 2, 'did you mean --concurrency-range?'],
])('%j ends with the way out', async (argv, exit, why) => {
  const { code, stdout, stderr } = await run(...argv);
  expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
  expect(stderr).toContain(why);
});
