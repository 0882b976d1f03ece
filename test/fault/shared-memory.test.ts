import assert from 'node:assert';
import { randomBytes } from 'node:crypto';
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { killRunners } from '../support/kill-runners';
import { Load } from '../support/load';
import { isAlive } from '../support/processes';
import { openSharedFiles, serverNames } from '../support/shared-memory';
import { type Shoal, startShoal } from '../support/shoal';
import { inferRequest, type Tensor } from '../support/tensors';
import { eventually, sleep } from '../support/waiting';

const count = 200_000;
const models = { identity_fp32: { append: 'dynamic_batching { }' } };

/** Numbers made from `seed`, 800 KB of them. */
function large(seed: number): Tensor {
  const values = Float32Array.from({ length: count }, (_, i) => seed + (i % 997));
  return { name: 'INPUT0', datatype: 'FP32', shape: [1, count], bytes: Buffer.from(values.buffer) };
}

const tensors = [large(1), large(2), large(3)];

async function echoes(shoal: Shoal, index: number): Promise<boolean> {
  const tensor = tensors[index % tensors.length]!;
  const { raw_output_contents: outputs } = await shoal.client.infer(inferRequest('identity_fp32', [tensor]));
  return tensor.bytes.equals(outputs[0]!);
}

/** Memory of the router's and of the runner's, each open at both ends. */
async function sharing(shoal: Shoal): Promise<void> {
  await eventually('they share memory', () => openSharedFiles(shoal.pid) === 2);
}

let shoal: Shoal;

afterEach(async () => {
  await shoal.stop();
  assert.deepEqual(serverNames(), []);
}, 40_000);

test.each(['native', 'grpc-js'])(
  'a runner killed with -9 among large tensors costs no client an error (%s)',
  async (carrier) => {
    shoal = await startShoal({ models, args: [`--grpc-carrier=${carrier}`] });
    await sharing(shoal);
    const load = new Load(6, (index) => echoes(shoal, index));
    await killRunners(shoal, load, 5);
    await load.stop();
    expect([load.failures, load.wrong]).toEqual([[], []]);
    await sharing(shoal);
  },
  60_000,
);

test('without shared memory, router and runners alike send large tensors over their sockets', async () => {
  shoal = await startShoal({ models, args: ['--shared-memory-bytes=0'] });
  for (const index of tensors.keys()) expect(await echoes(shoal, index)).toBe(true);
  expect([shoal.pid, ...shoal.runners()].map((pid) => openSharedFiles(pid))).toEqual([0, 0]);
}, 60_000);

test('a server killed with -9 among large tensors leaves nothing behind', async () => {
  shoal = await startShoal({ models });
  await sharing(shoal);
  const runners = shoal.runners();
  const load = new Load(4, (index) => echoes(shoal, index));
  await eventually('requests are answered', () => load.answered > 20, 20_000);
  shoal.signal('SIGKILL');
  await shoal.exited;
  await load.stop();
  await eventually('the runners end', () => !runners.some(isAlive), 15_000);
  expect(serverNames()).toEqual([]);
  shoal.client.close();
  shoal.raw.close();
  shoal.repository.delete();
  shoal = await startShoal({ models });
}, 60_000);

test.each([
  ['none', '0', 0],
  ['too little', '1000000', 2],
])(
  'where there is %s of it, large tensors travel over sockets',
  async (_name, bytes, files) => {
    shoal = await startShoal({ models, args: [`--shared-memory-bytes=${bytes}`] });
    await eventually('the links are open', () => openSharedFiles(shoal.pid) === files);
    const load = new Load(6, (index) => echoes(shoal, index));
    await eventually('requests are answered', () => load.answered > 50, 30_000);
    await load.stop();
    expect([load.failures, load.wrong]).toEqual([[], []]);
    expect(openSharedFiles(shoal.pid)).toBe(files);
  },
  60_000,
);

describe('a client’s own memory', () => {
  const key = `/test-of-shoal-${randomBytes(6).toString('hex')}`;
  const file = `/dev/shm${key}`;
  const bytes = count * 4;
  const place = (name: string) => ({
    parameters: { shared_memory_region: { string_param: name }, shared_memory_byte_size: { int64_param: bytes } },
  });
  const request = () => ({
    model_name: 'identity_fp32',
    inputs: [{ name: 'INPUT0', datatype: 'FP32', shape: [1, count], ...place('in') }],
    outputs: [{ name: 'OUTPUT0', ...place('out') }],
  });

  afterEach(() => rmSync(file, { force: true }));

  test('is made shorter, given up and registered anew under load: errors for its owner, and nothing else', async () => {
    shoal = await startShoal({ models, args: ['--allow-client-shm=true'] });
    await sharing(shoal);
    const both = Buffer.concat([tensors[0]!.bytes, Buffer.alloc(bytes)]);
    const register = async () => {
      writeFileSync(file, both);
      await shoal.client.call('SystemSharedMemoryRegister', { name: 'in', key, offset: 0, byte_size: bytes });
      await shoal.client.call('SystemSharedMemoryRegister', { name: 'out', key, offset: bytes, byte_size: bytes });
    };
    await register();
    const codes = new Set<string>();
    const owner = new Load(3, async () => {
      codes.add((await shoal.client.failure('ModelInfer', request())).code);
      return true;
    });
    const others = new Load(2, (index) => echoes(shoal, index));
    for (let round = 0; round < 10; round += 1) {
      await sleep(40);
      truncateSync(file, (round * bytes) / 10);
      await sleep(20);
      await shoal.client.call('SystemSharedMemoryUnregister', { name: '' });
      await sleep(10);
      await register();
    }
    await sleep(100);
    await Promise.all([owner.stop(), others.stop()]);
    expect([others.failures, others.wrong]).toEqual([[], []]);
    expect([...codes].filter((code) => !['OK', 'INVALID_ARGUMENT', 'NOT_FOUND'].includes(code))).toEqual([]);
    expect(codes).toContain('OK');
    expect(codes.size).toBeGreaterThan(1);
    expect(shoal.runners()).toHaveLength(1);
    await shoal.client.call('SystemSharedMemoryUnregister', { name: '' });
    for (const pid of [shoal.pid, ...shoal.runners()]) expect(openSharedFiles(pid, file)).toBe(0);
    await sharing(shoal);
  }, 60_000);
});
