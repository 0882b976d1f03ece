import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { grpcCarriers } from '@shoal/rpc';
import { type Shoal, startShoal } from '../support/shoal';

const script = path.join(__dirname, 'tritonclient_checks.py');

/** A Python that has tritonclient: $SHOAL_PYTHON, else the machine's own. */
function findPython(): string | undefined {
  const candidates = [process.env['SHOAL_PYTHON'], 'python3'].filter((name) => name !== undefined && name !== '');
  return candidates.find((name) => spawnSync(name!, ['-c', 'import tritonclient.grpc.aio']).status === 0);
}

const python = findPython();
if (python === undefined) {
  const message = 'no Python with tritonclient: pip install tritonclient[grpc], or name one in SHOAL_PYTHON';
  if (process.env['CI'] === 'true') throw new Error(message);
  console.warn(`tritonclient is not tried: ${message}`);
}

/** Each is a function of the script. */
const checks = [
  'health_and_metadata',
  'infer_sync',
  'infer_async',
  'infer_aio',
  'infer_stream',
  'infer_strings',
  'infer_classification',
  'infer_shared_memory',
  'model_control',
  'statistics',
  'settings',
  'errors',
  'deadline',
];

test('the script has these checks and no others', async () => {
  expect(existsSync(script)).toBe(true);
  if (python === undefined) return;
  expect((await run(['--list'])).output.trim().split('\n').toSorted()).toEqual(checks.toSorted());
});

describe.each(grpcCarriers)('on %s', (carrier) => {
  // It takes eleven seconds, and how calls expire on grpc-js is tested in libs/rpc.
  const tried = checks.filter((check) => carrier === 'native' || check !== 'deadline');
  let shoal: Shoal | undefined;

  beforeAll(async () => {
    if (python === undefined) return;
    shoal = await startShoal({
      models: {
        simple: { append: 'dynamic_batching { }' },
        simple_string: {},
        simple_identity: {},
        identity_fp16: {},
        digits_mlp: {},
        slow_loop: {},
        lc_one: { from: 'golden-models' },
      },
      args: ['--model-control-mode=explicit', '--load-model=*', '--allow-client-shm=true', `--grpc-carrier=${carrier}`],
    });
  }, 60_000);

  afterAll(() => shoal?.stop(), 40_000);

  (python === undefined ? test.skip : test).each(tried)(
    'tritonclient: %s',
    async (check) => {
      const { code, output } = await run([shoal!.address, check]);
      // oxlint-disable-next-line jest/no-standalone-expect -- it is inside a test, or inside a skipped one
      expect({ code, output }).toEqual({ code: 0, output: `PASS ${check}\n` });
    },
    60_000,
  );
});

function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(python!, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}
