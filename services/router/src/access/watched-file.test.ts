import { FakeClock } from '@shoal/testing';
import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { TemporaryAuthFile } from '../testing/auth-file';
import { until } from '../testing/simple-request';
import { watchFile } from './watched-file';

let file: TemporaryAuthFile;
let clock: FakeClock;
let seen: string[];
let stop: (() => void) | undefined;

beforeEach(() => {
  file = new TemporaryAuthFile({});
  clock = new FakeClock();
  seen = [];
});

afterEach(() => {
  stop?.();
  file.delete();
  if (clock.pending > 0) throw new Error('a look at the file is still to come');
});

function watch(at: string, text: string): void {
  const changed = (now: string) => void seen.push(now);
  stop = watchFile({ path: at, text, clock, changed, lost: () => void seen.push('lost') });
}

/** One look at the file. */
async function look(): Promise<void> {
  clock.advance(1_000);
  await until(() => clock.pending === 1);
}

test('a change in place, by renaming, and a file that goes and comes back', async () => {
  watch(file.path, '{}');
  await look();
  expect(seen).toEqual([]);
  writeFileSync(file.path, 'a');
  await look();
  await look();
  expect(seen).toEqual(['a']);
  writeFileSync(`${file.path}.new`, 'b');
  renameSync(`${file.path}.new`, file.path);
  await look();
  expect(seen).toEqual(['a', 'b']);
  unlinkSync(file.path);
  await look();
  await look();
  expect(seen).toEqual(['a', 'b', 'lost']);
  writeFileSync(file.path, 'b');
  await look();
  expect(seen).toEqual(['a', 'b', 'lost', 'b']);
});

test('a folder’s link that is turned elsewhere, as Kubernetes changes its volumes', async () => {
  const at = (name: string) => path.join(file.folder, name);
  for (const version of ['v1', 'v2']) {
    mkdirSync(at(version));
    writeFileSync(path.join(at(version), 'auth.json'), version);
  }
  symlinkSync('v1', at('..data'));
  symlinkSync('..data/auth.json', at('linked.json'));
  watch(at('linked.json'), 'v1');
  await look();
  expect(seen).toEqual([]);
  symlinkSync('v2', at('..next'));
  renameSync(at('..next'), at('..data'));
  await look();
  expect(seen).toEqual(['v2']);
});

test('once stopped, a look that was on its way tells nobody', async () => {
  watch(file.path, 'other');
  const heard: string[] = [];
  const parts = { path: file.path, text: 'other', clock, lost: () => undefined };
  const stopWitness = watchFile({ ...parts, changed: (text) => void heard.push(text) });
  clock.advance(1_000);
  stop?.();
  await until(() => heard.length === 1);
  stopWitness();
  for (let i = 0; i < 3; i += 1) await readFile(file.path);
  expect(seen).toEqual([]);
});
