import { instanceSubject, statisticsSubject } from '@shoal/bus';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as fc from 'fast-check';
import type { RouterConfig } from './flags';
import { goldenModels, modelConfig, simpleModel } from './testing/model-configs';
import { type RouterRig, startRig } from './testing/router-rig';
import { type Asked, ScriptedWorker } from './testing/scripted-worker';
import { firstSum, int32, simpleRequest, until } from './testing/simple-request';

let rig: RouterRig;

async function start(config: Partial<RouterConfig> = {}): Promise<void> {
  rig = await startRig({ config });
}

afterEach(async () => {
  await rig.close();
});

describe('readiness', () => {
  test('strict: a failed model makes the server unready, for ServerReady and health alike', async () => {
    await start();
    expect((await rig.client.call('ServerReady', {})).response).toEqual({ ready: true });
    expect((await rig.client.call('Check', { service: 'any' })).response).toEqual({ status: 'SERVING' });
    rig.announce(simpleModel.config, 2, { state: 'UNAVAILABLE', reason: 'out of memory' });
    expect((await rig.client.call('ServerReady', {})).response).toEqual({ ready: false });
    expect((await rig.client.call('Check', {})).response).toEqual({ status: 'NOT_SERVING' });
    expect((await rig.client.call('ServerLive', {})).response).toEqual({ live: true });
  });

  test('in a cluster: as long as one model serves, whatever becomes of the others', async () => {
    rig = await startRig({ inCluster: true });
    const ready = async () => (await rig.client.call('ServerReady', {})).response;
    const all = (change: Parameters<RouterRig['announce']>[2]) => {
      for (const { config, versions } of goldenModels)
        for (const version of versions) rig.announce(config, version, change);
    };
    all({ state: 'UNAVAILABLE', reason: 'out of memory' });
    expect(await ready()).toEqual({ ready: false });
    rig.announce(simpleModel.config, 1);
    expect(await ready()).toEqual({ ready: true });
    // Nobody wants any: nothing is missing.
    all({ state: 'UNAVAILABLE', reason: 'unloaded' });
    expect(await ready()).toEqual({ ready: true });
    await rig.batching.kill();
    while (((await ready()) as { ready: boolean }).ready) await Promise.resolve();
  });

  test('not before what it waits for is settled', async () => {
    let settle: () => void = () => undefined;
    rig = await startRig({ readyAfter: new Promise<void>((resolve) => (settle = resolve)) });
    expect((await rig.client.call('ServerReady', {})).response).toEqual({ ready: false });
    expect((await rig.client.call('Check', {})).response).toEqual({ status: 'NOT_SERVING' });
    expect((await rig.client.call('ModelInfer', simpleRequest())).status).toBe('OK');
    settle();
    await Promise.resolve();
    expect((await rig.client.call('ServerReady', {})).response).toEqual({ ready: true });
  });

  test('not strict: it does not', async () => {
    await start({ strictReadiness: false });
    rig.announce(simpleModel.config, 2, { state: 'UNAVAILABLE', reason: 'out of memory' });
    expect((await rig.client.call('ServerReady', {})).response).toEqual({ ready: true });
  });

  test('ModelReady follows the version; a version that is no number is refused', async () => {
    await start();
    rig.announce(simpleModel.config, 2, { state: 'LOADING' });
    const ready = async (version: string) =>
      (await rig.client.call('ModelReady', { name: 'simple', version })).response;
    expect([await ready('1'), await ready('2'), await ready('')]).toEqual([
      { ready: true },
      { ready: false },
      { ready: true },
    ]);
    expect((await rig.client.call('ModelReady', { name: 'simple', version: 'x' })).status).toBe('INVALID_ARGUMENT');
  });
});

describe('admission', () => {
  test('more requests than allowed are refused, and room comes back with each answer', async () => {
    await start({ maxInflightRequests: 2 });
    rig.batching.onOffer = () => undefined;
    const waiting = [1, 2].map(() => rig.client.call('ModelInfer', simpleRequest()));
    await until(() => rig.batching.offers.length === 2);
    expect(await rig.client.call('ModelInfer', simpleRequest())).toMatchObject({
      status: 'RESOURCE_EXHAUSTED',
      details: 'the server is at its limit of 2 unanswered requests; try again later',
    });
    for (const offer of rig.batching.offers) rig.batching.send(offer);
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(['OK', 'OK']);
    rig.batching.onOffer = (offer) => rig.batching.send(offer);
    expect((await rig.client.call('ModelInfer', simpleRequest())).status).toBe('OK');
  });

  test('a request larger than the limit is refused alone', async () => {
    await start({ maxInflightBytes: 100 });
    const { status, details } = await rig.client.call('ModelInfer', simpleRequest());
    expect(status).toBe('RESOURCE_EXHAUSTED');
    expect(details).toMatch(
      /^the request has \d+ bytes in its inputs, more than the 100 that this server holds at a time$/,
    );
  });

  test('so is one that does not fit into the room for requests that have come in part', async () => {
    await start({ grpcMaxPartialBytes: 100_000 });
    expect((await rig.client.call('ModelInfer', simpleRequest())).status).toBe('OK');
    const large = { ...simpleRequest(), raw_input_contents: [Buffer.alloc(300_000), Buffer.alloc(64)] };
    expect((await rig.client.call('ModelInfer', large)).status).toBe('RESOURCE_EXHAUSTED');
  });

  test('the background has a quarter of the room, which comes back too', async () => {
    await start({ maxInflightRequests: 4 });
    const background = { parameters: { 'shoal.background': { bool_param: true } } };
    const send = (more: object, options = {}) => rig.client.call('ModelInfer', simpleRequest('', 0, more), options);
    for (let i = 0; i < 3; i += 1) expect((await send(background)).status).toBe('OK');
    rig.batching.onOffer = () => undefined;
    const abort = new AbortController();
    const first = send(background, { signal: abort.signal });
    await until(() => rig.batching.offers.length === 4);
    expect(await send(background)).toMatchObject({
      status: 'RESOURCE_EXHAUSTED',
      details: 'the server is at its limit of 1 unanswered background requests; try again later',
    });
    rig.batching.onOffer = (offer) => rig.batching.send(offer);
    expect((await send({})).status).toBe('OK');
    abort.abort();
    await first;
    await until(() => rig.batching.cancels.length === 1);
    expect((await send(background)).status).toBe('OK');
  });

  test('refused and cancelled requests leave nothing counted', async () => {
    await start({ maxInflightRequests: 1 });
    rig.batching.onOffer = (offer) => rig.batching.reject(offer, 'INTERNAL', 'boom', 'model');
    for (let i = 0; i < 3; i += 1) expect((await rig.client.call('ModelInfer', simpleRequest())).details).toBe('boom');
    rig.batching.onOffer = () => undefined;
    for (let i = 0; i < 3; i += 1) {
      const abort = new AbortController();
      const call = rig.client.call('ModelInfer', simpleRequest(), { signal: abort.signal });
      await until(() => rig.batching.offers.length === 4 + i);
      abort.abort();
      await call;
      await until(() => rig.batching.cancels.length === 1 + i);
    }
    expect((await rig.client.call('ModelInfer', { ...simpleRequest(), inputs: [] })).status).toBe('INVALID_ARGUMENT');
    rig.batching.onOffer = (offer) => rig.batching.send(offer);
    expect((await rig.client.call('ModelInfer', simpleRequest())).status).toBe('OK');
  });
});

describe('shared memory', () => {
  const key = `/router-test-${randomBytes(8).toString('hex')}`;
  const path = `/dev/shm${key}`;

  afterEach(() => rmSync(path, { force: true }));

  test('inputs come from it and outputs go to it', async () => {
    await start({ allowClientShm: true });
    const ones = new Array<number>(16).fill(1);
    writeFileSync(path, Buffer.concat([int32(ones.map((_, i) => i)), int32(ones), Buffer.alloc(128)]));
    const register = { name: 'r', key, offset: 0, byte_size: 256 };
    expect((await rig.client.call('SystemSharedMemoryRegister', register)).status).toBe('OK');
    expect((await rig.client.call('SystemSharedMemoryStatus', {})).response).toEqual({ regions: { r: register } });
    const place = (offset: number, size = 64) => ({
      shared_memory_region: { string_param: 'r' },
      shared_memory_offset: { int64_param: offset },
      shared_memory_byte_size: { int64_param: size },
    });
    const request = {
      model_name: 'simple',
      id: 'shm',
      inputs: [0, 1].map((i) => ({
        name: `INPUT${i}`,
        datatype: 'INT32',
        shape: [1, 16],
        parameters: place(64 * i),
      })),
      outputs: [{ name: 'OUTPUT0', parameters: place(128) }, { name: 'OUTPUT1' }],
    };
    const { status, response } = await rig.client.call('ModelInfer', request);
    expect(status).toBe('OK');
    const { outputs, raw_output_contents: raw } = response as {
      outputs: { name: string; shape: number[]; parameters: Record<string, object> }[];
      raw_output_contents: Buffer[];
    };
    expect(outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['OUTPUT0', [1, 16]],
      ['OUTPUT1', [1, 16]],
    ]);
    expect(outputs[0]?.parameters).toMatchObject({
      shared_memory_region: { string_param: 'r' },
      shared_memory_offset: { int64_param: 128 },
      shared_memory_byte_size: { int64_param: 64 },
    });
    expect(raw.map(({ length }) => length)).toEqual([0, 64]);
    expect(readFileSync(path).subarray(128, 192)).toEqual(int32(ones.map((_, i) => i + 1)));
    expect(raw[1]).toEqual(int32(ones.map((_, i) => i - 1)));

    const small = { ...request, outputs: [{ name: 'OUTPUT0', parameters: place(128, 60) }] };
    expect(await rig.client.call('ModelInfer', small)).toMatchObject({
      status: 'INTERNAL',
      details:
        "shared memory size specified with the request for output 'OUTPUT0' (60 bytes) should be at least 64 bytes to hold the results",
    });
    await rig.client.call('SystemSharedMemoryUnregister', { name: 'r' });
    expect(await rig.client.call('ModelInfer', request)).toMatchObject({
      status: 'NOT_FOUND',
      details: "Unable to find shared memory region: 'r'",
    });
  });

  test('is off by default: nothing can be registered, tidying up works', async () => {
    await start();
    const register = { name: 'r', key, offset: 0, byte_size: 64 };
    expect(await rig.client.call('SystemSharedMemoryRegister', register)).toMatchObject({
      status: 'UNAVAILABLE',
      details: expect.stringContaining('--allow-client-shm') as unknown,
    });
    expect((await rig.client.call('SystemSharedMemoryStatus', {})).response).toEqual({ regions: {} });
    expect((await rig.client.call('SystemSharedMemoryUnregister', {})).status).toBe('OK');
  });

  test('CUDA: registering is refused with the reason, tidying up works', async () => {
    await start({ allowClientShm: true });
    expect(await rig.client.call('CudaSharedMemoryRegister', { name: 'r' })).toMatchObject({
      status: 'UNIMPLEMENTED',
      details: expect.stringContaining('CUDA shared memory is not supported') as unknown,
    });
    expect((await rig.client.call('CudaSharedMemoryStatus', {})).response).toEqual({ regions: {} });
    expect((await rig.client.call('CudaSharedMemoryUnregister', {})).status).toBe('OK');
    expect((await rig.client.call('CudaSharedMemoryStatus', { name: 'r' })).status).toBe('NOT_FOUND');
  });
});

describe('repository', () => {
  test.each([
    ['RepositoryModelLoad', { x: { string_param: '' } }, "unrecognized load parameter 'x'."],
    [
      'RepositoryModelLoad',
      { 'file:1/m': { string_param: '' } },
      "invalid value type for load parameter 'file:1/m', expected bytes_param.",
    ],
    ['RepositoryModelUnload', { x: { bool_param: true } }, "unrecognized unload parameter 'x'."],
    [
      'RepositoryModelUnload',
      { unload_dependents: { string_param: 'true' } },
      "invalid value type for unload parameter 'unload_dependents', expected bool_param.",
    ],
  ])('%s with %j is refused', async (rpc, parameters, details) => {
    await start();
    expect(await rig.client.call(rpc, { model_name: 'simple', parameters })).toMatchObject({
      status: 'INVALID_ARGUMENT',
      details,
    });
  });

  test('a file of any name reaches the model-worker', async () => {
    await start();
    const worker = new ScriptedWorker(rig.bus, 'worker-1');
    const file = { bytes_param: Buffer.from('x') };
    const parameters = JSON.parse('{"file:__proto__": 1, "file:1/model.onnx": 1}') as Record<string, unknown>;
    for (const key of Object.keys(parameters)) parameters[key] = file;
    await rig.client.call('RepositoryModelLoad', { model_name: 'simple', parameters });
    expect(worker.asked[0]?.files).toEqual([
      ['__proto__', 'x'],
      ['1/model.onnx', 'x'],
    ]);
  });

  test('unload takes its parameter; a model that nobody knows is fine', async () => {
    await start();
    const worker = new ScriptedWorker(rig.bus, 'worker-1');
    await rig.client.call('RepositoryModelLoad', { model_name: 'simple' });
    const parameters = { unload_dependents: { bool_param: true } };
    expect((await rig.client.call('RepositoryModelUnload', { model_name: 'simple', parameters })).status).toBe('OK');
    expect((await rig.client.call('RepositoryModelUnload', { model_name: 'never' })).status).toBe('OK');
    expect(worker.asked).toEqual([
      { model: 'simple', wanted: true, files: [] },
      { model: 'simple', wanted: false, files: [] },
    ]);
    expect(await rig.bus.state.get('desired/never')).toBeUndefined();
  });

  test('a load that fails says why, and what was wanted before is wanted again', async () => {
    await start();
    const failure = { code: 'INVALID_ARGUMENT', message: 'load failed' };
    const worker = new ScriptedWorker(rig.bus, 'worker-1', ({ config }) => (config === '{}' ? failure : undefined));
    const bad = { config: { string_param: '{}' } };
    const load = (parameters = {}) => rig.client.call('RepositoryModelLoad', { model_name: 'simple', parameters });
    expect(await load(bad)).toMatchObject({ status: 'INVALID_ARGUMENT', details: 'load failed' });
    expect(await rig.bus.state.get('desired/simple')).toBeUndefined();
    expect((await load()).status).toBe('OK');
    const before = await rig.bus.state.get('desired/simple');
    expect(await load(bad)).toMatchObject({ status: 'INVALID_ARGUMENT', details: 'load failed' });
    expect((await rig.bus.state.get('desired/simple'))?.value).toEqual(before?.value);
    worker.close();
  });

  test('files of a load that failed, or of a model that is unloaded, are kept no longer', async () => {
    await start();
    const failure = { code: 'INVALID_ARGUMENT', message: 'load failed' };
    const isBad = ({ files }: Asked) => files[0]?.[1] === 'bad';
    const worker = new ScriptedWorker(rig.bus, 'worker-1', (asked) => (isBad(asked) ? failure : undefined));
    const load = (text: string, model_name = 'simple') => {
      const parameters = { 'file:1/model.onnx': { bytes_param: Buffer.from(text) } };
      return rig.client.call('RepositoryModelLoad', { model_name, parameters });
    };
    expect([(await load('good')).status, (await load('good', 'twin')).status]).toEqual(['OK', 'OK']);
    const good = await rig.bus.blobs.list();
    expect(good).toHaveLength(1);
    expect((await load('bad')).status).toBe('INVALID_ARGUMENT');
    expect(await rig.bus.blobs.list()).toEqual(good);
    await rig.client.call('RepositoryModelUnload', { model_name: 'simple' });
    expect(await rig.bus.blobs.list()).toEqual(good);
    await rig.client.call('RepositoryModelUnload', { model_name: 'twin' });
    expect(await rig.bus.blobs.list()).toEqual([]);
    worker.close();
  });

  test('where no model-worker or batching answers, the calls say UNAVAILABLE', async () => {
    await start();
    expect((await rig.client.call('RepositoryModelLoad', { model_name: 'simple' })).status).toBe('UNAVAILABLE');
    expect((await rig.client.call('ModelStatistics', {})).status).toBe('UNAVAILABLE');
    const worker = new ScriptedWorker(rig.bus, 'worker-1');
    rig.bus.serve<object, object>(instanceSubject(statisticsSubject, 'batching-1'), () => Promise.resolve([]));
    expect((await rig.client.call('RepositoryModelLoad', { model_name: 'simple' })).status).toBe('OK');
    expect((await rig.client.call('ModelStatistics', {})).response).toEqual({ model_stats: [] });
    worker.close();
  });
});

test('settings are kept and drive the log', async () => {
  await start();
  await rig.client.call('LogSettings', { settings: { log_verbose_level: { uint32_param: 3 } } });
  expect(rig.logControl.verboseLevel).toBe(3);
  await rig.client.call('TraceSetting', { model_name: 'simple', settings: { trace_rate: { value: ['5'] } } });
  const { response } = await rig.client.call('TraceSetting', { model_name: 'simple' });
  expect(response).toMatchObject({ settings: { trace_rate: { value: ['5'] }, trace_level: { value: ['OFF'] } } });
});

test('decoupled models are refused on streams too', async () => {
  await start();
  const request = {
    model_name: 'repeat_int32',
    id: 'd',
    inputs: [
      { name: 'IN', datatype: 'INT32', shape: [1] },
      { name: 'DELAY', datatype: 'UINT32', shape: [1] },
      { name: 'WAIT', datatype: 'UINT32', shape: [1] },
    ],
    raw_input_contents: [int32([1]), int32([1]), int32([1])],
  };
  const { status, responses } = await rig.client.stream([request]);
  expect(status).toBe('OK');
  expect(responses[0]?.['error_message']).toContain('decoupled transaction policy');
});

test('whatever bytes come, the answer is a refusal and the server lives', async () => {
  await start();
  rig.announce(modelConfig('m', 0, ['I INT32[-1]'], ['O INT32[-1]']), 1);
  await fc.assert(
    fc.asyncProperty(garbage(), async (message) => {
      const { status } = await rig.client.call('ModelInfer', message);
      expect(['INVALID_ARGUMENT', 'NOT_FOUND']).toContain(status);
      const stream = await rig.client.stream([message]);
      // In-band, or as the end of the stream where the message is none.
      const refused = stream.status === 'OK' ? stream.responses[0]?.['error_message'] : stream.details;
      expect([stream.status, refused]).toEqual([
        expect.stringMatching(/^(OK|INVALID_ARGUMENT)$/),
        expect.stringMatching(/./),
      ]);
    }),
    { numRuns: 150 },
  );
  expect(firstSum((await rig.client.call('ModelInfer', simpleRequest('', 1))).response)).toBe(2);
});

/** Bytes at random, and a valid request that was cut or had bytes of its head changed so that it cannot stay valid. */
function garbage(): fc.Arbitrary<Buffer> {
  const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  const valid = requestBytes();
  const cut = fc.nat(valid.length - 1).map((length) => valid.subarray(0, length));
  const tail = fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) =>
    // A length that runs past the end: no such message, whatever follows.
    Buffer.concat([valid, Buffer.from([0x3a, 0xff, 0x7f]), Buffer.from(bytes)]),
  );
  return fc.oneof(random, cut, tail);
}

function requestBytes(): Buffer {
  const head = Buffer.from('0a0673696d706c65', 'hex'); // model_name: "simple"
  const input = Buffer.from('2a10', 'hex');
  return Buffer.concat([head, input, Buffer.from('0a06494e505554301205494e5433', 'hex'), Buffer.from('3218', 'hex')]);
}
