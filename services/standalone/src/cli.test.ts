import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { serveFlags } from './flags';

// A process a call, perhaps on a busy machine.
jest.setTimeout(30_000);

const cli = path.join(__dirname, '../dist/cli.js');

function shoal(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...argv], { encoding: 'utf8', timeout: 30_000 });
  return { status, stdout, stderr };
}

test('the overview names every command', () => {
  const { status, stdout } = shoal('--help');
  expect(status).toBe(0);
  for (const name of [
    'serve',
    'router',
    'batching',
    'model-worker',
    'explain',
    'traffic',
    'promote',
    'rollback',
    'models',
    'workers',
    'load',
    'unload',
    'reload',
  ])
    expect(stdout).toContain(`\n  ${name} `);
});

test('serve --help names every flag that serve takes', () => {
  const { status, stdout } = shoal('serve', '--help');
  expect(status).toBe(0);
  for (const { name } of Object.values(serveFlags)) expect(stdout).toMatch(new RegExp(`^  --${name}[ [\\n]`, 'm'));
  expect(shoal('help', 'serve').stdout).toBe(stdout);
});

test.each([
  [['sevre'], 2, "unknown command 'sevre': did you mean serve?"],
  [
    ['helicopter'],
    2,
    "unknown command 'helicopter': shoal knows serve, bench, profile, simulate, explain, health, key, router, batching, model-worker, explainability, top, why, models, workers, load, unload, reload, traffic, promote, rollback\n",
  ],
  [['--model-repository=x'], 2, 'options follow a command, as in `shoal serve --model-repository DIR`'],
  [['help', 'sevre'], 2, 'did you mean serve?'],
  [['serve', '--log-file=x'], 2, '--log-file is not supported: the log goes to stderr: redirect it (2>FILE)'],
  [
    ['serve', '--grpc-use-ssl'],
    2,
    '--grpc-use-ssl needs --grpc-server-cert and --grpc-server-key, each with a PEM file',
  ],
  [['serve', '--grpc-prot=1'], 2, 'did you mean --grpc-port?'],
  [['serve', '--grpc-port=x'], 2, '--grpc-port=x: expected an integer from 0 to 65535'],
  [
    ['serve', '--grpc-port=0', '--model-repository=/nowhere/at/all'],
    2,
    '--model-repository /nowhere/at/all: there is no such folder',
  ],
  [['serve', '--grpc-address=0.0.0.0'], 2, '--allow-unauthenticated=true lets everybody do everything'],
  [['router', '--nats=nats://localhost:1', '--grpc-address=::'], 2, '--auth-file=FILE says who may call'],
  [['serve', '--auth-file=/nowhere.json'], 2, '--auth-file /nowhere.json: there is no such file'],
  [['serve', '--grpc-restricted-protocol=infer:k=v'], 2, "unknown restricted protocol 'infer'"],
  [['key', '--expires=soon'], 2, '--expires=soon: expected a date as 2027-01-31'],
  [['router'], 2, '--nats=nats://HOST:4222 says where; `shoal serve` runs all of them'],
  [['batching', '--nats=nats://localhost:1', '--link-address=0.0.0.0:7000'], 2, 'expected the address at which'],
  [['batching', '--nats=nats://localhost:1', '--link-address=10.0.0.1:7000'], 2, '--allow-open-links=true'],
  [['model-worker', '--nats=nats://localhost:1', '--runner-host=10.0.0.1'], 2, '--allow-open-links=true'],
  [['router', '--nats=nats://localhost:1', '--id=a b'], 2, '--id=a b: expected up to 64 letters'],
])('%j ends with a sentence and no stack', (argv, code, text) => {
  const { status, stderr } = shoal(...argv);
  expect(stderr).toContain(text);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(status).toBe(code);
});

test('the version is the package’s', () => {
  expect(shoal('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
