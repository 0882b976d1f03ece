import { grpcCarriers } from '@shoal/rpc';
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RouterConfig } from '../flags';
import { TemporaryAuthFile, keyEntry, tenantEntry } from '../testing/auth-file';
import { CapturedLog } from '../testing/captured-log';
import { HastyClock } from '../testing/hasty-clock';
import { type RouterRig, startRig } from '../testing/router-rig';
import { ScriptedWorker } from '../testing/scripted-worker';
import { firstSum, simpleRequest, until } from '../testing/simple-request';

const secret = 'shoal_1_3ffo0pKtVQ7Zx';
const admin = 'shoal_a_9QmW2LxTk4Er';
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

const everything = {
  tenants: [
    tenantEntry('lab', secret, { models: ['simple', 'identity*'] }),
    tenantEntry('ops', admin, {
      permissions: [
        'metadata',
        'statistics',
        'model-repository',
        'shared-memory',
        'trace',
        'logging',
        'inference',
        'control',
      ],
    }),
  ],
};

describe.each(grpcCarriers)('on %s', (grpcCarrier) => {
  let rig: RouterRig;
  let file: TemporaryAuthFile;
  let log: CapturedLog;
  let clock: HastyClock;

  async function start(content: object = everything, config: Partial<RouterConfig> = {}): Promise<void> {
    file = new TemporaryAuthFile(content);
    log = new CapturedLog();
    clock = new HastyClock();
    rig = await startRig({ config: { grpcCarrier, authFile: file.path, ...config }, logger: log.logger, clock });
  }

  afterEach(async () => {
    await rig.close();
    file.delete();
    if ([secret, admin].some((key) => log.text.includes(key))) throw new Error('a key is in the log');
  });

  test('who has no key, a wrong one, or something else, is told what was expected, and reaches no runner', async () => {
    await start();
    const howTo = "send it as 'authorization: Bearer KEY' or as 'x-api-key: KEY' in the call's metadata";
    for (const [headers, text] of [
      [{}, 'this server needs a key'],
      [{ authorization: `Bearer ${secret}x` }, 'the key is not known to this server, or not any more'],
      [{ 'x-api-key': 'nonsense' }, 'the key is not known'],
      [{ authorization: `Basic ${secret}` }, 'this server takes keys only'],
    ] as const) {
      for (const name of ['ModelInfer', 'ServerMetadata', 'RepositoryModelLoad', 'ModelReady']) {
        const { status, details } = await rig.client.call(name, name === 'ModelInfer' ? simpleRequest() : {}, {
          headers,
        });
        expect([name, status]).toEqual([name, 'UNAUTHENTICATED']);
        expect(details).toContain(text);
        expect(details).toContain(howTo);
        expect(details).not.toContain(secret);
      }
      const stream = await rig.client.stream([simpleRequest()], headers);
      expect(stream).toMatchObject({ status: 'UNAUTHENTICATED', responses: [] });
    }
    expect(rig.batching.offers).toEqual([]);
    expect(rig.runner.received).toEqual([]);
  });

  test('probes need no key', async () => {
    await start();
    expect((await rig.client.call('ServerLive', {})).response).toEqual({ live: true });
    expect((await rig.client.call('ServerReady', {})).response).toEqual({ ready: true });
    expect((await rig.client.call('Check', {})).response).toEqual({ status: 'SERVING' });
  });

  test('with a key: inference, one by one and in a stream', async () => {
    await start();
    expect(firstSum((await rig.client.call('ModelInfer', simpleRequest('', 4), bearer(secret))).response)).toBe(5);
    const { status, responses } = await rig.client.stream([simpleRequest('a'), simpleRequest('b')], {
      'x-api-key': secret,
    });
    expect([status, responses.length]).toEqual(['OK', 2]);
    expect(responses.map((response) => response['error_message'])).toEqual(['', '']);
  });

  test('what a tenant is not permitted', async () => {
    await start();
    for (const [name, group] of [
      ['RepositoryIndex', 'model-repository'],
      ['RepositoryModelUnload', 'model-repository'],
      ['LogSettings', 'logging'],
      ['TraceSetting', 'trace'],
      ['SystemSharedMemoryStatus', 'shared-memory'],
    ] as const) {
      const { status, details } = await rig.client.call(name, {}, bearer(secret));
      expect([status, details]).toEqual([
        'PERMISSION_DENIED',
        `tenant 'lab' is not permitted calls of the group '${group}'`,
      ]);
    }
    const { status } = await rig.client.call('ModelConfig', { name: 'simple' }, bearer(secret));
    expect(status).toBe('OK');
  });

  test('models of others are not to be found out: the same words, whether there is one or not', async () => {
    const permissions = ['health', 'metadata', 'inference', 'model-config', 'statistics', 'model-repository', 'trace'];
    await start({ tenants: [tenantEntry('lab', secret, { models: ['identity*'], permissions })] });
    const worker = new ScriptedWorker(rig.bus, 'worker-1');
    const refusals = async (model: string) => {
      const named = { name: model, model_name: model };
      const outcomes = [];
      for (const name of [
        'ModelMetadata',
        'ModelReady',
        'ModelConfig',
        'ModelStatistics',
        'RepositoryModelLoad',
        'TraceSetting',
      ]) {
        outcomes.push(await rig.client.call(name, named, bearer(secret)));
      }
      outcomes.push(await rig.client.call('ModelInfer', simpleRequest('', 0, { model_name: model }), bearer(secret)));
      const stream = await rig.client.stream([simpleRequest('', 0, { model_name: model })], bearer(secret).headers);
      expect(stream.status).toBe('OK');
      outcomes.push({ status: 'PERMISSION_DENIED', details: stream.responses[0]?.['error_message'] });
      return outcomes.map(({ status, details }) => [status, String(details).replaceAll(model, 'MODEL')]);
    };
    const there = await refusals('simple');
    const text = "tenant 'lab' may not use a model called 'MODEL', whether there is one or not";
    expect(there).toEqual(there.map(() => ['PERMISSION_DENIED', text]));
    expect(await refusals('nowhere')).toEqual(there);
    expect(worker.asked).toEqual([]);
    worker.close();
    expect(rig.batching.offers).toEqual([]);
    const index = await rig.client.call<{ models: { name: string }[] }>('RepositoryIndex', {}, bearer(secret));
    expect(new Set(index.response?.models.map(({ name }) => name.replace(/_.*/, '')))).toEqual(new Set(['identity']));
  });

  test('statistics are of a tenant’s own models', async () => {
    await start({ tenants: [tenantEntry('lab', secret, { models: ['mine'] }), tenantEntry('ops', admin)] });
    const none = { count: 0, ns: 0 };
    const numbers = { lastInferenceMs: 0, inferenceCount: 1, executionCount: 1, batches: [] };
    const durations = {
      success: none,
      fail: none,
      queue: none,
      computeInput: none,
      computeInfer: none,
      computeOutput: none,
    };
    rig.bus.serve('batching.statistics.batching-1', () =>
      Promise.resolve(['mine', 'other'].map((model) => ({ model, version: 1, ...numbers, ...durations }))),
    );
    const names = async (key: string) => {
      const { response } = await rig.client.call<{ model_stats: { name: string }[] }>(
        'ModelStatistics',
        {},
        bearer(key),
      );
      return response?.model_stats.map(({ name }) => name);
    };
    expect(await names(secret)).toEqual(['mine']);
    expect(await names(admin)).toEqual(['mine', 'other']);
  });

  test('callers without a key have what the file gives them', async () => {
    await start({ ...everything, anonymous: { models: ['simple'], permissions: ['inference'] } });
    expect((await rig.client.call('ModelInfer', simpleRequest())).status).toBe('OK');
    expect(await rig.client.call('ServerMetadata', {})).toMatchObject({
      status: 'PERMISSION_DENIED',
      details: "tenant 'anonymous' is not permitted calls of the group 'metadata'",
    });
    // A key that is wrong does not make one anonymous.
    expect((await rig.client.call('ModelInfer', simpleRequest(), bearer('wrong'))).status).toBe('UNAUTHENTICATED');
  });

  test('over quota: which one, and when to come again; a stream goes on', async () => {
    const quotas = { requestsPerSecond: { rate: 0.001, burst: 2 } };
    await start({ tenants: [tenantEntry('lab', secret, { quotas })] });
    const statuses = async () => (await rig.client.call('ModelInfer', simpleRequest(), bearer(secret))).status;
    expect([await statuses(), await statuses()]).toEqual(['OK', 'OK']);
    const { status, details, trailers } = await rig.client.call('ModelInfer', simpleRequest(), bearer(secret));
    expect(status).toBe('RESOURCE_EXHAUSTED');
    expect(details).toMatch(
      /^tenant 'lab' is at its quota of 0\.001 requests\/s; try again when [\d.]+ s have passed$/,
    );
    expect(Number(trailers['grpc-retry-pushback-ms'])).toBeGreaterThan(900_000);
    const stream = await rig.client.stream([simpleRequest(), simpleRequest()], bearer(secret).headers);
    expect(stream.status).toBe('OK');
    expect(stream.responses.map((response) => String(response['error_message']).slice(0, 30))).toEqual(
      Array.from({ length: 2 }, () => "tenant 'lab' is at its quota o"),
    );
    expect(rig.batching.offers).toHaveLength(2);
  });

  test('in flight: a request that has ended, however it ended, makes room', async () => {
    await start({ tenants: [tenantEntry('lab', secret, { quotas: { maxInFlight: 1 } })] });
    rig.runner.onData = () => undefined;
    const abort = new AbortController();
    const first = rig.client.call('ModelInfer', simpleRequest(), { ...bearer(secret), signal: abort.signal });
    await until(() => rig.runner.received.length === 1);
    const second = await rig.client.call('ModelInfer', simpleRequest(), bearer(secret));
    expect(second).toMatchObject({ status: 'RESOURCE_EXHAUSTED', trailers: {} });
    expect(second.details).toContain('quota of 1 requests in flight');
    abort.abort();
    expect((await first).status).toBe('CANCELLED');
    await until(() => rig.batching.cancels.length === 1);
    rig.runner.onData = (data, link) => rig.runner.answer(data, link);
    expect((await rig.client.call('ModelInfer', simpleRequest(), bearer(secret))).status).toBe('OK');
  });

  test('in flight: requests of a stream that is given up make room, and so do those that fail', async () => {
    await start({ tenants: [tenantEntry('lab', secret, { quotas: { maxInFlight: 2 } })] });
    rig.runner.onData = () => undefined;
    const stream = rig.client.openStream(bearer(secret).headers);
    for (const id of ['1', '2', '3']) stream.send(simpleRequest(id));
    await until(() => rig.runner.received.length === 2);
    stream.cancel();
    await until(() => rig.batching.cancels.length === 2);
    rig.batching.onOffer = (offer) => rig.batching.reject(offer, 'INTERNAL', 'no', 'model');
    for (let i = 0; i < 3; i += 1) {
      expect((await rig.client.call('ModelInfer', simpleRequest(), bearer(secret))).details).toBe('no');
    }
  });

  test('in flight: what fails inside the server makes room too', async () => {
    await start({ tenants: [tenantEntry('lab', secret, { quotas: { maxInFlight: 1 } })] });
    await rig.batching.kill();
    expect((await rig.client.call('ServerLive', {})).status).toBe('OK');
    // Without batching a request waits for it by a timer.
    clock.failFrom = 9_000;
    expect((await rig.client.call('ModelInfer', simpleRequest(), bearer(secret))).status).toBe('INTERNAL');
    expect(clock.failFrom).toBe(Infinity);
    const { status } = await rig.client.call('ModelInfer', simpleRequest(), { ...bearer(secret), deadlineMs: 300 });
    expect(status).toBe('DEADLINE_EXCEEDED');
  });

  test('shared memory is for those who have that group, also in inference', async () => {
    const key = `/access-test-${randomBytes(8).toString('hex')}`;
    const path = `/dev/shm${key}`;
    const before = Buffer.alloc(256, 1);
    writeFileSync(path, before);
    try {
      await start(everything, { allowClientShm: true });
      const region = { name: 'theirs', key, offset: 0, byte_size: 256 };
      expect((await rig.client.call('SystemSharedMemoryRegister', region, bearer(admin))).status).toBe('OK');
      const place = (name: string, offset: number) => ({
        shared_memory_region: { string_param: name },
        shared_memory_offset: { int64_param: offset },
        shared_memory_byte_size: { int64_param: 64 },
      });
      const inputs = (name: string) =>
        [0, 1].map((i) => ({
          name: `INPUT${i}`,
          datatype: 'INT32',
          shape: [1, 16],
          parameters: place(name, 64 * i),
        }));
      const reads = (name: string) => ({ model_name: 'simple', inputs: inputs(name) });
      const writes = simpleRequest('', 0, { outputs: [{ name: 'OUTPUT0', parameters: place('theirs', 128) }] });
      for (const request of [reads('theirs'), reads('nowhere'), writes]) {
        expect(await rig.client.call('ModelInfer', request, bearer(secret))).toMatchObject({
          status: 'PERMISSION_DENIED',
          details: "tenant 'lab' is not permitted calls of the group 'shared-memory'",
        });
      }
      expect(readFileSync(path)).toEqual(before);
      expect((await rig.client.call('ModelInfer', reads('theirs'), bearer(admin))).status).toBe('OK');
      expect((await rig.client.call('ModelInfer', writes, bearer(admin))).status).toBe('OK');
      expect(readFileSync(path)).not.toEqual(before);
    } finally {
      rmSync(path);
    }
  });

  test('compute time that a runner reports is charged', async () => {
    await start({
      tenants: [tenantEntry('lab', secret, { quotas: { computeMsPerSecond: { rate: 0.001, burst: 10 } } })],
    });
    rig.runner.onData = (data, link) => rig.runner.answer(data, link, 25_000);
    expect((await rig.client.call('ModelInfer', simpleRequest(), bearer(secret))).status).toBe('OK');
    const { status, details } = await rig.client.call('ModelInfer', simpleRequest(), bearer(secret));
    expect([status, details]).toEqual(['RESOURCE_EXHAUSTED', expect.stringContaining('0.001 ms of compute/s')]);
  });

  test('a tenant’s quota is the cluster’s: each router has its part', async () => {
    await start({
      tenants: [tenantEntry('lab', secret, { quotas: { requestsPerSecond: { rate: 0.001, burst: 2 } } })],
    });
    rig.bus.announce('routers/another', { id: 'another' });
    await until(() => true);
    expect((await rig.client.call('ModelInfer', simpleRequest(), bearer(secret))).status).toBe('OK');
    const { details } = await rig.client.call('ModelInfer', simpleRequest(), bearer(secret));
    expect(details).toContain('of which this router has one part in 2');
  });

  test('the file may change while calls run: keys come and go, also for streams that are open', async () => {
    await start();
    const stream = rig.client.openStream(bearer(secret).headers);
    stream.send(simpleRequest('1'));
    await until(() => stream.responses.length === 1);
    file.write({ tenants: [{ ...tenantEntry('lab', secret), keys: [keyEntry('2', 'new')] }] });
    await clock.pass();
    expect((await rig.client.call('ModelInfer', simpleRequest(), bearer('new'))).status).toBe('OK');
    expect((await rig.client.call('ModelInfer', simpleRequest(), bearer(secret))).status).toBe('UNAUTHENTICATED');
    stream.send(simpleRequest('2'));
    await until(() => stream.responses.length === 2);
    expect(String(stream.responses[1]?.['error_message'])).toMatch(
      /^the key is not known to this server, or not any more/,
    );
    stream.halfClose();
    await stream.ended;
    expect(log.text).toContain('it has changed: tenants: 1, keys: 1; callers without a key are refused');
  });

  test('a changed file that is wrong is refused with its place, once, and what was known stays', async () => {
    await start();
    writeFileSync(
      file.path,
      JSON.stringify({ tenants: [{ name: 'x', keys: [{ id: 'k', sha256: secret }], models: [] }] }),
    );
    await clock.pass();
    await clock.pass();
    const refusals = log.lines.filter(({ level }) => level === 50).map(({ msg }) => msg);
    expect(refusals).toEqual([
      expect.stringMatching(
        /^--auth-file: it has changed and is refused: tenants\[0\]\.keys\[0\]\.sha256: expected .*; what it said before stays in force$/,
      ),
    ]);
    expect((await rig.client.call('ModelInfer', simpleRequest(), bearer(secret))).status).toBe('OK');
  });

  test('a file that everybody may write is told of', async () => {
    await start();
    const warned = () => log.lines.filter(({ msg }) => String(msg).includes('everybody on this machine may write it'));
    for (const [mode, warnings] of [
      [0o644, 0],
      [0o666, 1],
    ] as const) {
      const before = warned().length;
      await rig.close();
      chmodSync(file.path, mode);
      rig = await startRig({ config: { authFile: file.path }, logger: log.logger });
      expect(warned()).toHaveLength(before + warnings);
    }
  });

  test('a reload is no fresh start for quotas', async () => {
    const content = {
      tenants: [tenantEntry('lab', secret, { quotas: { requestsPerSecond: { rate: 0.001, burst: 1 } } })],
    };
    await start(content);
    expect((await rig.client.call('ModelInfer', simpleRequest(), bearer(secret))).status).toBe('OK');
    file.write({ ...content, anonymous: { models: [] } });
    await clock.pass();
    expect((await rig.client.call('ServerMetadata', {})).status).toBe('OK');
    expect((await rig.client.call('ModelInfer', simpleRequest(), bearer(secret))).status).toBe('RESOURCE_EXHAUSTED');
  });

  test('control calls leave a line, whatever came of them, and also when all else is silent', async () => {
    await start();
    const worker = new ScriptedWorker(rig.bus, 'worker-1');
    await rig.client.call('LogSettings', { settings: { log_info: { bool_param: false } } }, bearer(admin));
    log.control.info = false;
    await rig.client.call(
      'RepositoryModelLoad',
      { model_name: 'evil\nname\u001b[31m'.padEnd(5000, 'x') },
      bearer(admin),
    );
    await rig.client.call('RepositoryModelUnload', { model_name: 'simple' }, bearer(secret));
    await rig.client.call('SystemSharedMemoryRegister', { name: 'r', key: '/k' }, bearer(admin));
    await rig.client.call('RepositoryModelLoad', { model_name: 'simple' });
    worker.close();
    // Not these.
    await rig.client.call('LogSettings', {}, bearer(admin));
    await rig.client.call('RepositoryIndex', {}, bearer(admin));
    await rig.client.call('ModelInfer', simpleRequest(), bearer(admin));
    const call = (method: string) => `inference.GRPCInferenceService/${method}`;
    const ops = { tenant: 'ops', key: '1' };
    const repository = { group: 'model-repository' };
    expect(log.audit).toEqual([
      { ...ops, call: call('LogSettings'), group: 'logging', code: 'OK' },
      {
        ...ops,
        call: call('RepositoryModelLoad'),
        ...repository,
        model: `evil\u{FFFD}name\u{FFFD}[31m${'x'.repeat(242)}…`,
        // No repository has such a name.
        code: 'INTERNAL',
      },
      {
        tenant: 'lab',
        key: '1',
        call: call('RepositoryModelUnload'),
        ...repository,
        model: 'simple',
        code: 'PERMISSION_DENIED',
      },
      { ...ops, call: call('SystemSharedMemoryRegister'), group: 'shared-memory', code: 'UNAVAILABLE' },
      { call: call('RepositoryModelLoad'), ...repository, model: 'simple', code: 'UNAUTHENTICATED' },
    ]);
    expect(log.lines.find(({ audit }) => audit)?.['peer']).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('what decides where requests go is for those who have that group, and for their own models', async () => {
    await start({
      tenants: [
        tenantEntry('lab', secret, { models: ['mine'], permissions: ['traffic'] }),
        tenantEntry('ops', admin, { permissions: ['inference', 'control'] }),
      ],
    });
    expect(await rig.client.call('ListTraffic', {}, bearer(admin))).toMatchObject({
      status: 'PERMISSION_DENIED',
      details: "tenant 'ops' is not permitted calls of the group 'traffic'",
    });
    expect(await rig.client.call('ListTraffic', {}, bearer(secret))).toMatchObject({
      status: 'PERMISSION_DENIED',
      details: "tenant 'lab' may make this call for its own models only: it must name one",
    });
    expect((await rig.client.call('ClearTraffic', { model: 'simple' }, bearer(secret))).status).toBe(
      'PERMISSION_DENIED',
    );
    expect((await rig.client.call('ClearTraffic', { model: 'mine' }, bearer(secret))).status).not.toBe(
      'PERMISSION_DENIED',
    );
    const call = 'shoal.control.v1.TrafficControl/ClearTraffic';
    expect(log.audit).toEqual([
      { tenant: 'lab', key: '1', call, group: 'traffic', model: 'simple', code: 'PERMISSION_DENIED' },
      { tenant: 'lab', key: '1', call, group: 'traffic', model: 'mine', code: expect.any(String) },
    ]);
  });

  test('what is asked of traffic and of models says who asked', async () => {
    await start({ tenants: [tenantEntry('ops', admin, { permissions: ['traffic', 'model-repository'] })] });
    const who = expect.stringMatching(/^ops\/1 from 127\.0\.0\.1:\d+$/) as string;
    const rules = { model: 'simple', rules: { stable_version: '1' } };
    const { response } = await rig.client.call('SetTraffic', rules, bearer(admin));
    expect(response).toMatchObject({ changed: { action: 'set', by: who } });
    const worker = new ScriptedWorker(rig.bus, 'worker-1');
    const load = { model_name: 'simple' };
    expect((await rig.client.call('RepositoryModelLoad', load, bearer(admin))).status).toBe('OK');
    worker.close();
    expect(await rig.bus.state.get('desired/simple')).toMatchObject({ value: { by: who, via: 'router-1' } });
  });

  test('server reflection needs a key and the group metadata', async () => {
    await start();
    const reflect = (headers: Readonly<Record<string, string>>) => rig.client.reflect(headers);
    expect((await reflect({})).status).toBe('UNAUTHENTICATED');
    const { status, responses } = await reflect(bearer(secret).headers);
    expect([status, responses.length]).toEqual(['OK', 1]);
  });

  test('Triton’s restricted groups need their header, beside any key', async () => {
    await start(everything, { grpcRestrictedProtocol: ['health,model-repository:Admin=open'] });
    const restricted = {
      status: 'UNAVAILABLE',
      details: "This protocol is restricted, expecting header 'triton-grpc-protocol-admin'",
    };
    expect(await rig.client.call('ServerLive', {})).toMatchObject(restricted);
    expect(await rig.client.call('Check', {})).toMatchObject(restricted);
    expect(await rig.client.call('RepositoryIndex', {}, bearer(admin))).toMatchObject(restricted);
    const header = { 'triton-grpc-protocol-admin': 'open' };
    expect((await rig.client.call('ServerLive', {}, { headers: header })).status).toBe('OK');
    const both = { headers: { ...header, ...bearer(admin).headers } };
    expect((await rig.client.call('RepositoryIndex', {}, both)).status).toBe('OK');
    expect((await rig.client.call('RepositoryIndex', {}, { headers: header })).status).toBe('UNAUTHENTICATED');
  });
});
