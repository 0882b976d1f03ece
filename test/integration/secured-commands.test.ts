import { TestAuthority } from '@shoal/testing';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { cli } from '../support/paths';
import { type Shoal, startShoal } from '../support/shoal';

const run = promisify(execFile);
const key = 'shoal_test_K3yOfTheTest';
let folder: string;
let shoal: Shoal;
const file = (name: string) => path.join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'shoal-secured-'));
  const authority = new TestAuthority();
  for (const [name, issued] of [
    ['server', authority.issue(['localhost', '127.0.0.1'])],
    ['client', authority.issue(['client'])],
  ] as const) {
    writeFileSync(file(`${name}.pem`), issued.cert);
    writeFileSync(file(`${name}-key.pem`), issued.key);
  }
  writeFileSync(file('ca.pem'), authority.ca);
  const sha256 = createHash('sha256').update(key).digest('hex');
  const permissions = ['metadata', 'inference', 'control'];
  const tenants = [{ name: 'lab', keys: [{ id: 'k', sha256 }], models: ['*'], permissions }];
  writeFileSync(file('auth.json'), JSON.stringify({ tenants }));
  const pair = ['--grpc-server-cert', file('server.pem'), '--grpc-server-key', file('server-key.pem')];
  const mutual = ['--grpc-use-ssl-mutual', '--grpc-root-cert', file('ca.pem')];
  shoal = await startShoal({ models: { simple: {} }, args: [...pair, ...mutual, '--auth-file', file('auth.json')] });
}, 60_000);

afterAll(async () => {
  await shoal.stop();
  rmSync(folder, { recursive: true });
}, 40_000);

const certificates = () => [
  '--ssl-grpc-root-certifications-file',
  file('ca.pem'),
  '--ssl-grpc-private-key-file',
  file('client-key.pem'),
  '--ssl-grpc-certificate-chain-file',
  file('client.pem'),
];
const tls = () => ['--ssl-grpc-use-ssl', ...certificates()];

/** What a command prints; its exit code and complaint when it fails. */
async function command(argv: readonly string[], apiKey = key): Promise<string> {
  try {
    const env = { ...process.env, SHOAL_API_KEY: apiKey };
    return (await run(process.execPath, [cli, ...argv, '--url', shoal.address], { env })).stdout;
  } catch (thrown) {
    const { code, stderr } = thrown as { code: number; stderr: string };
    return `${code} ${stderr}`;
  }
}

const models = ['models', '--timeout-secs=20'];
const bench = ['bench', '-m', 'simple', '-p', '200', '--warmup-interval', '50', '--format', 'json'];

test.each([[[]], [['--streaming']], [['--carrier', 'grpc-js']]])(
  'bench measures a server that asks for a key and a certificate: %j',
  async (more) => {
    const { rows } = JSON.parse(await command([...bench, ...tls(), ...more])) as {
      rows: { answered: number; failed: number }[];
    };
    expect(rows).toEqual([expect.objectContaining({ failed: 0 })]);
    expect(rows[0]?.answered).toBeGreaterThan(0);
  },
  60_000,
);

test('so do the commands that control it', async () => {
  expect(await command([...models, ...tls()])).toContain('READY');
}, 60_000);

test('so does the one that has an answer explained', async () => {
  const ones = JSON.stringify(new Array(16).fill(1));
  const row = ['--input', `{"INPUT0": ${ones}, "INPUT1": ${ones}}`, '--background=zero', '--method=permutation'];
  expect(await command(['explain', 'simple', ...row, ...tls()])).toContain('base 0, output 2, additivity gap 0');
  expect(await command(['explain', 'simple', ...row, ...tls()], 'wrong')).toMatch(/^1 shoal: /);
}, 60_000);

test.each([[models], [bench]])(
  'without the key: %j',
  async (argv) => {
    expect(await command([...argv, ...tls()], '')).toMatch(/^1 shoal: .*this server needs a key/);
  },
  60_000,
);

test.each([[models], [bench]])(
  'certificates without TLS are refused, and no key is sent: %j',
  async (argv) => {
    expect(await command([...argv, ...certificates()])).toBe(
      '2 shoal: --ssl-grpc-root-certifications-file needs --ssl-grpc-use-ssl: without it nothing is encrypted\n',
    );
    expect(await command([...argv, '--ssl-grpc-use-ssl', ...certificates().slice(0, 4)])).toBe(
      '2 shoal: --ssl-grpc-private-key-file and --ssl-grpc-certificate-chain-file are a pair: one needs the other\n',
    );
  },
  60_000,
);
