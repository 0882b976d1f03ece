import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { simulate } from './simulate-command';

let folder: string;

beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), 'shoal-simulate-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const where = path.join(folder, name);
  writeFileSync(where, content);
  return where;
}

function run(line: string, isTTY = false) {
  let [stdout, stderr] = ['', ''];
  const code = simulate(line.split(' '), {
    env: {},
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text), isTTY },
  });
  return { code, stdout, stderr };
}

interface Json {
  readonly offered: number;
  readonly answered: number;
  readonly runners: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly traffic: { readonly rate: number };
  readonly runnersNeeded: number | null;
  readonly tried: readonly { readonly runners: number }[];
  readonly batches: readonly { readonly rows: number }[];
}

function json(line: string): Json {
  return JSON.parse(run(`${line} --json`).stdout) as Json;
}

const model = '--fixed-ms 8 --row-ms 1 --duration-secs 20';

test('a load and runners: latency, batches, what was used', () => {
  const { code, stdout, stderr } = run(`${model} --rate 100 --runners 2`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^model: 100 requests a second, independent of each other, 2 runners\n/);
  expect(stdout).toMatch(/latency +9\.0\d/);
  expect(stdout).toContain('nothing shed');
  expect(stdout).not.toContain('needed');
});

test('an objective: the least runners that keep it, and exit code 1 where those asked for do not', () => {
  const line = `${model} --rate 1000 --slo-p99-ms 40`;
  const found = json(line);
  expect(found.runnersNeeded).toBe(found.runners);
  expect(found.latencyMs.p99).toBeLessThanOrEqual(40);
  const tried = found.tried.map(({ runners }) => runners);
  expect(tried).toContain(found.runners - 1);
  expect(run(line).code).toBe(0);
  expect(run(line).stdout).toContain(`${found.runners} runners needed for p99 within 40 ms`);
  expect(run(`${line} --runners ${found.runners - 1}`).code).toBe(1);
  const hopeless = run(`${model} --rate 100 --slo-p99-ms 5 --max-runners 3`);
  expect(hopeless.code).toBe(1);
  expect(hopeless.stdout).toContain('Even 3 runners would not do');
});

test('a profile, and a trace that is told at another rate', () => {
  const profile = file('p.json', JSON.stringify({ model: 'm', maxBatchSize: 4, fixedMs: 1 }));
  const trace = file(
    't.csv',
    `seconds,path\n${Array.from({ length: 101 }, (_, i) => `${5 + i / 50},/a`).join('\n')}\n`,
  );
  const line = `--profile ${profile} --trace ${trace} --runners 1 --duration-secs 10 --warmup-secs 0`;
  expect(json(line)).toMatchObject({ offered: 500, answered: 500, traffic: { rate: 50 } });
  expect(json(`${line} --rate 100`).offered).toBe(1000);
  expect(
    json(`--profile ${profile} --max-batch-size 1 --rate 5000 --runners 1 --duration-secs 2`).batches,
  ).toHaveLength(1);
});

test.each(['constant', 'bursts', 'daily'])('%s traffic has the rate asked for', (kind) => {
  const { offered } = json(`${model} --rate 500 --arrivals ${kind} --burst-secs 0.2 --runners 20 --warmup-secs 0`);
  expect(offered / 20 / 500).toBeCloseTo(1, 0);
});

test('a picture', () => {
  const svg = path.join(folder, 'a.svg');
  run(`${model} --rate 100 --slo-p99-ms 50 --svg ${svg}`);
  const picture = readFileSync(svg, 'utf8');
  expect(picture).toMatch(/^<svg .*<\/svg>$/s);
  expect(picture).toContain('objective: 50 ms');
  expect(picture).not.toContain('NaN');
});

test('a bar where somebody looks', () => {
  const { stderr } = run(`${model} --rate 100 --runners 2`, true);
  expect(stderr).toMatch(/2 runners/);
  expect(stderr.endsWith('\r\u001b[2K')).toBe(true);
  expect(run(`${model} --rate 100 --runners 2 --progress false`, true).stderr).toBe('');
});

test.each([
  ['--rate 1 --runners 1', 'which model? Name its profile with --profile FILE'],
  [`${model} --runners 1`, 'how many requests a second?'],
  [`${model} --rate 1`, 'how many runners? Say --runners 4, or --slo-p99-ms 50'],
  [`${model} --rate 1 --runners 1 --request-rows 33`, '--request-rows=33: the model takes 32 at most'],
  [`${model} --rate 1 --runners 1 --arrivals bursts --burst-share 0.5`, 'the share can be 0.250 at most'],
  ['--profile /nowhere --rate 1 --runners 1', '--profile /nowhere: it cannot be read'],
  [`${model} --trace /nowhere --runners 1`, '--trace /nowhere: it cannot be read'],
])('%s is refused: %s', (line, text) => {
  expect(() => run(line)).toThrow(text);
});

test('a trace without times, or out of order, is refused', () => {
  const run2 = (content: string) => () => run(`${model} --trace ${file('w.csv', content)} --runners 1`);
  expect(run2('a\nb\n')).toThrow('expected lines that begin with a time in seconds');
  expect(run2('1\n3\n2\n')).toThrow('line 3 is earlier than the one before');
});

test.each(['nowhere/picture.svg', '.'])(
  'a picture that cannot be written is told before anything is simulated: %s',
  (name) => {
    const where = path.join(folder, name);
    const forever = '--fixed-ms 1 --rate 1e6 --runners 1 --duration-secs 1e9';
    expect(() => run(`${forever} --svg ${where}`)).toThrow(`--svg ${where} cannot be written: `);
  },
);
