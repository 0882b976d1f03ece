import { spawn, spawnSync } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { cli } from '../../../test/support/paths';
import { childrenOf, isAlive } from '../../../test/support/processes';
import { type Shoal, startShoal } from '../../../test/support/shoal';
import { StockClient } from '../../../test/support/stock-client';
import { isSimpleAnswer, simpleRequest } from '../../../test/support/tensors';
import { eventually, within } from '../../../test/support/waiting';

// Whole servers start and end here, perhaps on a busy machine.
jest.setTimeout(60_000);

/** For servers that the test ends in its own way. */
async function release(shoal: Shoal): Promise<void> {
  shoal.client.close();
  shoal.raw.close();
  if (isAlive(shoal.pid)) shoal.signal('SIGKILL');
  await shoal.exited;
  shoal.repository.delete();
}

describe('a server that runs', () => {
  let shoal: Shoal;

  beforeAll(async () => {
    shoal = await startShoal({
      models: { simple: {}, not_onnx: { from: 'hostile' } },
      args: ['--http-port', '8000', '--allow-metrics', 'false', '--log-format=text'],
      env: { SHOAL_EXIT_TIMEOUT_SECS: '7' },
    });
  });

  afterAll(() => shoal.stop());

  test('says what is served and what is not, and how to look around', async () => {
    await eventually('it has said all', () => shoal.output.includes('Ctrl-C ends it'));
    expect(shoal.output).toMatch(/^simple +1 +by the client, up to 8 +CPU +READY$/m);
    expect(shoal.output).toMatch(/^not_onnx +1 +\S+ +- +UNAVAILABLE: .+/m);
    expect(shoal.output).toContain(
      `grpcurl -plaintext ${shoal.address} inference.GRPCInferenceService/RepositoryIndex`,
    );
  });

  test('answers a stock client', async () => {
    expect(isSimpleAnswer(await shoal.client.infer(simpleRequest(3)), 3)).toBe(true);
  });

  test('warns of Triton’s options that have no effect, unless they only switch off', () => {
    expect(shoal.output).toMatch(/ WARN {2}shoal: --http-port has no effect: this version serves gRPC only$/m);
    expect(shoal.output).not.toContain('--allow-metrics');
    expect(shoal.output).not.toContain('Serves metrics');
  });

  test('holds its port: a second server ends with the way out', () => {
    const port = shoal.address.split(':').at(-1)!;
    const argv = [
      cli,
      'serve',
      `--grpc-port=${port}`,
      '--metrics-port=0',
      '--model-repository',
      shoal.repository.folder,
    ];
    const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 30_000 });
    expect(stderr).toBe(
      `shoal: cannot listen at ${shoal.address}: the address is in use (--grpc-port=0 takes any free port)\n`,
    );
    expect(status).toBe(1);
  });

  test('the port for metrics is told as well when it is taken', () => {
    const port = shoal.address.split(':').at(-1)!;
    const argv = [cli, 'serve', '--grpc-port=0', `--metrics-port=${port}`];
    const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 30_000 });
    expect(stderr).toBe(
      `shoal: cannot serve metrics at ${shoal.address}: the address is in use ` +
        '(--metrics-port=0 takes any free port, --allow-metrics=false serves none)\n',
    );
    expect(status).toBe(1);
  });

  test('a Ctrl-C that comes twice at once drains once, within the time that the environment gave', async () => {
    const own = await startShoal({ models: { simple: {} }, env: { SHOAL_EXIT_TIMEOUT_SECS: '7' } });
    const runners = own.runners();
    own.signal('SIGINT');
    own.signal('SIGINT');
    await own.ended(runners);
    expect(own.output).toContain('SIGINT: finishing the accepted requests (at most 7 s; again ends at once)');
    expect(own.output).not.toContain('again: ending');
  });
});

test('without arguments it serves the demo models, and a closed terminal ends it in order', async () => {
  const child = spawn(process.execPath, [cli, 'serve', '--grpc-port=0', '--metrics-port=0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exit = new Promise((resolve) => child.once('exit', resolve));
  try {
    await eventually('it is ready', () => output.includes('Ctrl-C'), 30_000);
    for (const model of ['breast_cancer', 'digits', 'simple']) {
      expect(output).toMatch(new RegExp(`^${model} +1 .*READY$`, 'm'));
    }
    expect(output).toMatch(/^Try it from another terminal: node \S*examples\/infer\.mjs 127\.0\.0\.1:\d+$/m);
    child.kill('SIGHUP');
    expect(await within('its end', exit, 20_000)).toBe(0);
    expect(output).toContain('SIGHUP: finishing');
  } finally {
    child.kill('SIGKILL');
  }
});

test('a signal while models load ends it in order', async () => {
  const child = spawn(process.execPath, [cli, 'serve', '--grpc-port=0', '--metrics-port=0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  try {
    const runners = await eventually('a runner starts', () => {
      const found = childrenOf(child.pid!);
      return found.length > 0 && found;
    });
    child.kill('SIGTERM');
    expect(await within('its end', exit, 20_000)).toBe(0);
    await eventually('no runner outlives it', () => !runners.some(isAlive));
  } finally {
    child.kill('SIGKILL');
  }
});

test('--exit-on-error ends it when a model cannot be served', async () => {
  const start = startShoal({ models: { simple: {}, not_onnx: { from: 'hostile' } }, args: ['--exit-on-error'] });
  await expect(start).rejects.toThrow(/1 of the models cannot be served, and --exit-on-error is set: ending/);
  await expect(start).rejects.toThrow(/"code":1/);
});

test('--exit-on-error minds a model that is not there', async () => {
  const args = ['--exit-on-error', '--model-control-mode=explicit', '--load-model=simple', '--load-model=absent'];
  const start = startShoal({ models: { simple: {} }, args });
  await expect(start).rejects.toThrow(/^absent +- +- +- +no such model in the repository$/m);
  await expect(start).rejects.toThrow(/1 of the models cannot be served/);
});

test('an empty repository is told of', async () => {
  const shoal = await startShoal({ models: {} });
  expect(shoal.output).toContain('There are no models here; a repository holds them as MODEL/1/model.onnx.');
  await shoal.stop();
});

test('its runners end when it is killed', async () => {
  const shoal = await startShoal({ models: { simple: {} } });
  const runners = shoal.runners();
  expect(runners).toHaveLength(1);
  shoal.signal('SIGKILL');
  await shoal.exited;
  await eventually('the runners end', () => !runners.some(isAlive));
  await release(shoal);
});

test('it goes on serving when nobody reads what it prints', async () => {
  const port = await freePort();
  const argv = [cli, 'serve', `--grpc-port=${port}`, '--log-verbose=1', '--metrics-port=0'];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.stdout.destroy();
  child.stderr.destroy();
  try {
    const client = new StockClient(`127.0.0.1:${port}`);
    await eventually('it is ready', async () => (await client.call('ServerReady', {})).ready, 30_000);
    expect(await client.failure('ModelInfer', { model_name: 'nobody' })).toMatchObject({ code: 'NOT_FOUND' });
    expect(isSimpleAnswer(await client.infer(simpleRequest(1)), 1)).toBe(true);
    client.close();
    child.kill('SIGTERM');
    expect(await within('its end', exit, 20_000)).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
});

/** A port that was free a moment ago: nobody tells which one a server without readers has taken. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
