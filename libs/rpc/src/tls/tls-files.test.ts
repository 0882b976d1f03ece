import { systemClock } from '@shoal/core';
import { FakeClock, TestAuthority, type TestCertificate, until } from '@shoal/testing';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TlsMaterial } from './material';
import { type TlsFilePaths, TlsFiles } from './tls-files';

const authority = new TestAuthority();
const first = authority.issue(['localhost']);
const second = authority.issue(['localhost']);

let folder: string;
let clock: FakeClock;
let lines: string[];
let opened: TlsFiles[];
const log = {
  info: (message: string) => void lines.push(message),
  warn: (message: string, fields = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`),
};

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tls-files-'));
  clock = new FakeClock(Date.parse('2030-06-01T00:00:00Z'));
  lines = [];
  opened = [];
});

afterEach(() => {
  for (const files of opened) files.close();
  if (clock.pending > 0) throw new Error('closed files are still looked at');
  rmSync(folder, { recursive: true });
});

function put({ cert, key }: TestCertificate, where = folder): void {
  writeFileSync(path.join(where, 'tls.crt'), cert);
  writeFileSync(path.join(where, 'tls.key'), key);
}

function paths(where = folder): TlsFilePaths {
  return {
    cert: { flag: '--cert', path: path.join(where, 'tls.crt') },
    key: { flag: '--key', path: path.join(where, 'tls.key') },
  };
}

function follow(material: TlsMaterial, where = folder): TlsFiles {
  const files = new TlsFiles(paths(where), material, clock, log);
  opened.push(files);
  return files;
}

/** Lets the files be looked at until `condition`. */
async function lookUntil(condition: () => boolean): Promise<void> {
  await until(() => {
    clock.advance(500);
    return condition();
  });
}

/** Lets the files be looked at so often that what was to be noticed has been. */
async function lookOften(files: TlsFiles): Promise<void> {
  const marker = files.current;
  for (let i = 0; i < 4; i += 1) {
    clock.advance(5_000);
    // A look that has ended has set the time of the next.
    await until(() => clock.pending === 1);
  }
  expect(files.current).toBe(marker);
}

test.each(['in place', 'by a rename', 'by a link that turns'])('files replaced %s are noticed', async (how) => {
  const [one, other] = [path.join(folder, 'one'), path.join(folder, 'other')];
  mkdirSync(one);
  mkdirSync(other);
  put(first, one);
  put(second, other);
  // As Kubernetes mounts secrets: tls.crt → ..data/tls.crt, ..data → the folder of the day.
  const data = path.join(folder, '..data');
  symlinkSync('one', data);
  const files = follow(first, data);
  const told: TlsMaterial[] = [];
  files.onRenewed((material) => told.push(material));
  if (how === 'in place') put(second, one);
  else if (how === 'by a rename') {
    for (const name of ['tls.key', 'tls.crt']) renameSync(path.join(other, name), path.join(one, name));
  } else {
    symlinkSync('other', path.join(folder, '..data_tmp'));
    renameSync(path.join(folder, '..data_tmp'), data);
  }
  await lookUntil(() => told.length > 0);
  expect(told).toEqual([second]);
  expect(files.current).toEqual(second);
  expect(lines).toEqual(['the certificate files were replaced: new connections use them']);
});

test('a pair that does not fit is refused with one line, and the one before stays; a good one is taken up later', async () => {
  put(first);
  const files = follow(first);
  writeFileSync(path.join(folder, 'tls.crt'), second.cert);
  await lookUntil(() => lines.length > 0);
  expect(lines[0]).toMatch(/cannot be used.*--key=.*tls\.key is not the key of --cert=.*tls\.crt/);
  await lookOften(files);
  expect(files.current).toEqual(first);
  expect(lines).toHaveLength(1);
  put(second);
  await lookUntil(() => files.current !== undefined && lines.length > 1);
  expect(files.current).toEqual(second);
});

test('half a file, rubbish and no file are refused, each with a line', async () => {
  put(first);
  const files = follow(first);
  writeFileSync(path.join(folder, 'tls.crt'), second.cert.subarray(0, 200));
  await lookUntil(() => lines.length === 1);
  writeFileSync(path.join(folder, 'tls.crt'), 'rubbish');
  await lookUntil(() => lines.length === 2);
  rmSync(path.join(folder, 'tls.key'));
  await lookUntil(() => lines.length === 3);
  await lookOften(files);
  expect(files.current).toEqual(first);
  expect(lines.map((line) => /holds no certificate|there is no such file/.exec(line)?.[0])).toEqual([
    'holds no certificate',
    'holds no certificate',
    'there is no such file',
  ]);
});

test('what is still being written is not taken up: it has to be the same twice', async () => {
  put(first);
  const files = follow(first);
  const looks: TestCertificate[] = [];
  files.onRenewed(() => looks.push(second));
  // A good pair that another one replaces before the second look.
  put(authority.issue(['localhost']));
  clock.advance(5_000);
  await until(() => clock.pending === 1);
  put(second);
  await lookUntil(() => looks.length > 0);
  expect(files.current).toEqual(second);
});

test('a certificate that ends soon is told of once a day, with the days left', async () => {
  const ending = authority.issue(['localhost'], { notAfter: '20300606120000Z' });
  put(ending);
  const files = follow(ending);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/expires soon .*"daysLeft":5,"validTo":"2030-06-06T12:00:00.000Z"/);
  await lookOften(files);
  expect(lines).toHaveLength(1);
  clock.advance(86_400_000);
  await lookUntil(() => lines.length > 1);
  expect(lines[1]).toContain('"daysLeft":4');
  clock.advance(10 * 86_400_000);
  await lookUntil(() => lines.length > 2);
  expect(lines[2]).toMatch(/the certificate has expired .*"daysLeft":-\d/);
});

test('files that cannot be used are told of at start, by their options', async () => {
  put(first);
  const open = (files: TlsFilePaths) => TlsFiles.open(files, systemClock, log);
  const missing = path.join(folder, 'missing.pem');
  await expect(open({ ...paths(), ca: { flag: '--ca', path: missing } })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: `--ca=${missing}: there is no such file`,
  });
  await expect(open({ ...paths(), ca: { flag: '--ca', path: folder } })).rejects.toThrow('it is a folder');
  writeFileSync(path.join(folder, 'tls.key'), second.key);
  await expect(open(paths())).rejects.toThrow(/--key=.* is not the key of --cert=/);
  put(first);
  const files = await open({ ...paths(), ca: { flag: '--ca', path: path.join(folder, 'tls.crt') } });
  files.close();
  expect(files.current).toEqual({ ...first, ca: first.cert });
});
