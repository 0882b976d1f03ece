import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { type Shoal, startShoal } from '../support/shoal';
import { inferRequest, int32 } from '../support/tensors';

const key = `/test-of-shoal-${randomBytes(6).toString('hex')}`;
const file = `/dev/shm${key}`;
const inputBytes = 128;
let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({
    models: { simple: {}, simple_string: {}, identity_fp32: {} },
    args: ['--allow-client-shm=true'],
  });
}, 60_000);

afterAll(async () => {
  rmSync(file, { force: true });
  await shoal.stop();
}, 40_000);

beforeEach(() => {
  const numbers = Int32Array.from({ length: 32 }, (_, i) => (i < 16 ? i : 1));
  writeFileSync(file, Buffer.concat([Buffer.from(numbers.buffer), Buffer.alloc(128)]));
});

afterEach(() => shoal.client.call('SystemSharedMemoryUnregister', { name: '' }));

const register = (name: string, offset: number, size: number, at = key) =>
  shoal.client.failure('SystemSharedMemoryRegister', { name, key: at, offset, byte_size: size });

const region = (name: string, offset: number, size: number) => ({
  shared_memory_region: { string_param: name },
  shared_memory_offset: { int64_param: offset },
  shared_memory_byte_size: { int64_param: size },
});

/** INPUT0 and INPUT1 lie one behind the other in the region `in`. */
const inputs = [0, 64].map((offset, i) => ({
  name: `INPUT${i}`,
  datatype: 'INT32',
  shape: [1, 16],
  parameters: region('in', offset, 64),
}));

test('inputs and outputs lie in the client’s memory', async () => {
  expect((await register('in', 0, inputBytes)).code).toBe('OK');
  expect((await register('out', 128, 128)).code).toBe('OK');
  const { regions } = await shoal.client.call('SystemSharedMemoryStatus', {});
  expect(regions).toEqual({
    in: { name: 'in', key, offset: 0, byte_size: 128 },
    out: { name: 'out', key, offset: 128, byte_size: 128 },
  });
  const response = await shoal.client.infer({
    model_name: 'simple',
    inputs,
    outputs: [
      { name: 'OUTPUT0', parameters: region('out', 0, 64) },
      { name: 'OUTPUT1', parameters: region('out', 64, 64) },
    ],
  });
  expect(response.raw_output_contents.map((bytes) => bytes.length)).toEqual([0, 0]);
  const memory = new Int32Array(Uint8Array.from(readFileSync(file)).buffer);
  expect([...memory.slice(32, 48)]).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
  expect([...memory.slice(48, 64)]).toEqual(Array.from({ length: 16 }, (_, i) => i - 1));
});

test('an input in memory and one in the message, and an output in the message', async () => {
  await register('in', 0, inputBytes);
  const second = int32('INPUT1', [1, 16], new Array<number>(16).fill(10));
  const response = await shoal.client.infer({
    ...inferRequest('simple', [second]),
    inputs: [inputs[0]!, { name: 'INPUT1', datatype: 'INT32', shape: [1, 16] }],
  });
  expect(response.raw_output_contents[0]!.readInt32LE(4)).toBe(11);
});

test('what does not fit is refused', async () => {
  await register('in', 0, inputBytes);
  const ask = (parameters: object) =>
    shoal.client.failure('ModelInfer', {
      model_name: 'simple',
      inputs: [{ ...inputs[0]!, parameters: parameters as never }, inputs[1]!],
    });
  expect(await ask(region('nope', 0, 64))).toEqual({
    code: 'NOT_FOUND',
    details: "Unable to find shared memory region: 'nope'",
  });
  expect((await ask(region('in', 100, 64))).code).toBe('INVALID_ARGUMENT');
  expect((await ask(region('in', 2 ** 53, 64))).code).toBe('INVALID_ARGUMENT');
  expect((await ask(region('in', -1, 64))).code).toBe('INVALID_ARGUMENT');
  expect((await ask(region('in', 0, 60))).code).toBe('INVALID_ARGUMENT');
  const small = await shoal.client.failure('ModelInfer', {
    model_name: 'simple',
    inputs,
    outputs: [{ name: 'OUTPUT0', parameters: region('in', 0, 32) }],
  });
  expect(small.code).not.toBe('OK');
});

test.each([
  ['a key that is not there', '/no-such-key', 'INTERNAL'],
  ['a key that leaves /dev/shm', '/../etc/passwd', 'INVALID_ARGUMENT'],
  ['a key that is absolute twice', '//etc/passwd', 'INVALID_ARGUMENT'],
  ['an empty key', '', 'INVALID_ARGUMENT'],
  ['a key of the server’s own', '/shoal-ring', 'INVALID_ARGUMENT'],
])('%s is refused', async (_, at, code) => {
  const failure = await register('bad', 0, 64, at);
  expect(failure.code).toBe(code);
  const { regions } = await shoal.client.call('SystemSharedMemoryStatus', {});
  expect(regions).toEqual({});
});

test('a region beyond the end of the memory is refused', async () => {
  expect((await register('big', 0, 10_000)).code).not.toBe('OK');
  expect((await register('far', 250, 64)).code).not.toBe('OK');
});

test('a name is registered once; after it is given up it is free', async () => {
  expect((await register('in', 0, 64)).code).toBe('OK');
  expect(await register('in', 0, 64)).toEqual({
    code: 'ALREADY_EXISTS',
    details: "shared memory region 'in' already in manager",
  });
  await shoal.client.call('SystemSharedMemoryUnregister', { name: 'in' });
  expect((await register('in', 0, 64)).code).toBe('OK');
  await shoal.client.call('SystemSharedMemoryUnregister', { name: 'in' });
  expect(existsSync(file)).toBe(true);
});

describe('tensors so large that the model’s own process reads and writes them', () => {
  const count = 50_000;
  const size = 4 * count;
  const values = Float32Array.from({ length: count }, (_, i) => i / 7);

  const identity = (into: object) => ({
    model_name: 'identity_fp32',
    inputs: [{ name: 'INPUT0', datatype: 'FP32', shape: [1, count], parameters: region('in', 16, size) }],
    outputs: [{ name: 'OUTPUT0', parameters: into as never }],
  });

  beforeEach(async () => {
    writeFileSync(file, Buffer.concat([Buffer.alloc(16), Buffer.from(values.buffer), Buffer.alloc(size + 100)]));
    await register('in', 0, 16 + size);
    await register('out', 16 + size, size + 100);
  });

  test('inputs and outputs lie in the client’s memory', async () => {
    const response = await shoal.client.infer(identity(region('out', 100, size)));
    expect(response.raw_output_contents.map((bytes) => bytes.length)).toEqual([0]);
    expect(response.outputs[0]).toMatchObject({
      name: 'OUTPUT0',
      datatype: 'FP32',
      shape: [1, count],
      parameters: {
        shared_memory_region: { string_param: 'out' },
        shared_memory_byte_size: { int64_param: size },
        shared_memory_offset: { int64_param: 100 },
      },
    });
    const memory = readFileSync(file);
    expect(memory.subarray(16 + size + 100).equals(Buffer.from(values.buffer))).toBe(true);
    expect(memory.subarray(16 + size, 16 + size + 100).equals(Buffer.alloc(100))).toBe(true);
  });

  test('an output in the message', async () => {
    const { outputs: _, ...request } = identity({});
    const { raw_output_contents: outputs } = await shoal.client.infer(request);
    expect(outputs[0]!.equals(Buffer.from(values.buffer))).toBe(true);
  });

  test('a place too small, and memory made shorter, are refused', async () => {
    expect(await shoal.client.failure('ModelInfer', identity(region('out', 0, size - 4)))).toEqual({
      code: 'INTERNAL',
      details: `shared memory size specified with the request for output 'OUTPUT0' (${size - 4} bytes) should be at least ${size} bytes to hold the results`,
    });
    truncateSync(file, size);
    expect(await shoal.client.failure('ModelInfer', identity(region('out', 0, size)))).toEqual({
      code: 'INVALID_ARGUMENT',
      details: "Invalid offset + byte size for shared memory region: 'in'",
    });
  });
});
