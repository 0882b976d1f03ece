import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { appendFile, copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, systemClock } from '@shoal/core';
import { bytesOf } from '@shoal/tensor';
import { distPath } from './dist-path';
import { Driver } from './driver.fixture';

let driver: Driver;

beforeEach(() => {
  driver = new Driver();
});

afterEach(() => driver.stop(500), 30_000);

const float = (...values: number[]) => bytesOf(Float32Array.from(values));
const long = (...values: number[]) => bytesOf(BigInt64Array.from(values.map(BigInt)));

const endless = { rows: 1, inputs: [{ index: 0, shape: [64, 64], bytes: new Uint8Array(4 * 64 * 64) }] };

function poisonMember(poison: number) {
  return {
    rows: 1,
    inputs: [
      { index: 0, shape: [1, 1], bytes: float(1.5) },
      { index: 1, shape: [1, 1], bytes: long(poison) },
    ],
  };
}

/** Processes that still exist among those that the test saw. */
function alive(pids: readonly number[]): number[] {
  return pids.filter((pid) => existsSync(`/proc/${pid}`));
}

function pidsOf(folder: string): number[] {
  const listing = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' });
  const children = listing.split('\n').filter((line) => line.includes('runner/main.js'));
  return children
    .map((line) => Number(line.trim().split(' ')[0]))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === folder;
      } catch {
        return false;
      }
    });
}

/** The runners' folder, from the address of one. */
async function runnerFolder(model: string): Promise<string> {
  const [runner] = await driver.runnersOf(model);
  const path = runner?.announcement.address.slice('unix:'.length) ?? '';
  return path.slice(0, path.lastIndexOf('/'));
}

test('a failed run is told with its reason and nobody is answered; the runner goes on', async () => {
  await (await driver.withModels({ fails_on_poison: 'models' })).start();
  const failed = await driver.run('fails_on_poison', [poisonMember(0), poisonMember(1)]);
  expect(failed.done).toMatchObject({ outcome: 'failed', code: 'INTERNAL' });
  expect(failed.done.message).toMatch(/^onnx runtime error: \S/);
  expect(failed.done.message).not.toContain('/onnxruntime_src');
  expect(failed.done.message).not.toContain(driver.folder);
  expect(failed.answers).toEqual([undefined, undefined]);
  const fine = await driver.run('fails_on_poison', [poisonMember(0)]);
  expect(fine.done.outcome).toBe('ok');
}, 30_000);

test('a runner that was killed is started again under another id, and serves', async () => {
  await (await driver.withModels({ fails_on_poison: 'models' })).start();
  const folder = await runnerFolder('fails_on_poison');
  const [before] = [...driver.runners.keys()];
  const [pid] = pidsOf(folder);
  process.kill(pid ?? 0, 'SIGKILL');
  await driver.until(() => driver.runners.size === 1 && !driver.runners.has(before ?? ''), 'another runner');
  const fine = await driver.run('fails_on_poison', [poisonMember(0)]);
  expect(fine.done.outcome).toBe('ok');
  expect(driver.versions.get('fails_on_poison/1')?.state).toBe('READY');
  expect(driver.log.some(({ message }) => /ended \(signal SIGKILL\).*started again/.test(message))).toBe(true);
  expect(readdirSync(folder)).toHaveLength(1);
}, 30_000);

test('a version whose restarts come to nothing is given up with the reason, until it is loaded again', async () => {
  await (
    await driver.withModels({ simple: 'models', simple_int8: 'models' })
  ).start({ modelControlMode: 'explicit', loadModel: ['simple'] });
  const [pid] = pidsOf(await runnerFolder('simple'));
  const file = join(driver.folder, 'simple/1/model.onnx');
  const original = await readFile(file);
  await copyFile(join(driver.folder, 'simple_int8/1/model.onnx'), file);
  process.kill(pid ?? 0, 'SIGKILL');
  await driver.until(() => driver.versions.get('simple/1')?.state === 'UNAVAILABLE', 'the surrender');
  expect(driver.versions.get('simple/1')?.reason).toMatch(
    /the model file was replaced by another model; load it again$/,
  );
  expect(driver.runners.size).toBe(0);
  await writeFile(file, original);
  await driver.load({ model: 'simple' });
  expect(driver.versions.get('simple/1')?.state).toBe('READY');
}, 40_000);

test('a run that never ends costs its runner, after the limit', async () => {
  await (await driver.withModels({ endless_loop: 'hostile', simple: 'models' })).start({ modelRunTimeoutSecs: 1 });
  const [before] = [...(await driver.runnersOf('endless_loop'))].map(({ announcement }) => announcement.id);
  await expect(driver.run('endless_loop', [endless])).rejects.toThrow('the runner is gone');
  await driver.until(() => driver.log.some(({ message }) => message.includes('a run took more than 1 s')), 'the log');
  await driver.until(
    () =>
      [...driver.runners.values()].some(({ announcement: { model, id } }) => model === 'endless_loop' && id !== before),
    'another runner',
  );
}, 30_000);

const inline = '\nparameters { key: "execution_thread" value { string_value: "inline" } }\n';

test('a run that never ends on the main thread costs its runner too; the next runner takes a thread for it', async () => {
  await driver.withModels({ endless_loop: 'hostile' });
  await appendFile(join(driver.folder, 'endless_loop/config.pbtxt'), inline);
  await driver.start({ modelRunTimeoutSecs: 1 });
  const logged = (what: string) => driver.log.some(({ message }) => message.includes(what));
  expect(logged('main thread from now on')).toBe(true);
  await expect(driver.run('endless_loop', [endless])).rejects.toThrow('the runner is gone');
  await driver.until(() => logged('does not answer its supervisor'), 'the log');
  await driver.until(() => driver.runners.size > 0, 'another runner');
  await expect(driver.run('endless_loop', [endless])).rejects.toThrow('the runner is gone');
  await driver.until(() => logged('a run took more than 1 s'), 'the log');
}, 30_000);

test('a run without a limit is not held for ever by the main thread', async () => {
  await driver.withModels({ endless_loop: 'hostile' });
  await appendFile(join(driver.folder, 'endless_loop/config.pbtxt'), inline);
  await driver.start({ modelRunTimeoutSecs: 0 });
  await expect(driver.run('endless_loop', [endless])).rejects.toThrow('the runner is gone');
  const run = driver.run('endless_loop', [endless], ({ runner, batchId }) => {
    systemClock.schedule(200, () => runner.router.send({ kind: 'withdraw', batchId, member: 0 }));
  });
  await expect(run).rejects.toThrow('the runner is gone');
  await driver.until(() => driver.log.some(({ message }) => message.includes('after everybody had left')), 'the log');
}, 40_000);

test('a run that everybody has left is ended too', async () => {
  await (await driver.withModels({ endless_loop: 'hostile' })).start({ modelRunTimeoutSecs: 0 });
  const run = driver.run('endless_loop', [endless], ({ runner, batchId }) => {
    systemClock.schedule(200, () => runner.router.send({ kind: 'withdraw', batchId, member: 0 }));
  });
  await expect(run).rejects.toThrow('the runner is gone');
  await driver.until(() => driver.log.some(({ message }) => message.includes('after everybody had left')), 'the log');
}, 30_000);

test('a load that takes too long is given up, the others are served', async () => {
  await (await driver.withModels({ slow_load: 'hostile', simple: 'models' })).start({ modelLoadTimeoutSecs: 3 });
  expect(driver.versions.get('slow_load/1')).toMatchObject({
    state: 'UNAVAILABLE',
    reason: 'Unavailable: the model did not load within 3 s',
  });
  expect(driver.versions.get('simple/1')?.state).toBe('READY');
}, 30_000);

test('of many instances only a few load at the same time', async () => {
  await driver.withModels({ simple: 'models', fails_on_poison: 'models' });
  await driver.start({ modelControlMode: 'explicit', loadModel: ['fails_on_poison'] });
  const folder = await runnerFolder('fails_on_poison');
  const load = driver.load({ model: 'simple', config: '{"max_batch_size":8,"instance_group":[{"count":9}]}' });
  let most = 0;
  const look = async () => {
    await sleep(systemClock, 20);
    const processes = pidsOf(folder).length;
    most = Math.max(most, processes - readdirSync(folder).filter((name) => name.endsWith('.sock')).length);
    return 'loading';
  };
  while ((await Promise.race([load, look()])) === 'loading');
  expect(pidsOf(folder)).toHaveLength(10);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(4);
}, 40_000);

test('a shutdown during a slow load ends at once', async () => {
  await driver.withModels({ slow_load: 'hostile' });
  await driver.startLoading();
  await driver.until(() => driver.versions.get('slow_load/1')?.state === 'LOADING', 'the load');
  await sleep(systemClock, 500);
  // The grace is longer than this test may take.
  await expect(driver.stop(600_000)).resolves.toBeUndefined();
  driver = await new Driver().withModels({});
}, 30_000);

test('loads can be abandoned while the others go on serving', async () => {
  await (
    await driver.withModels({ slow_load: 'hostile', fails_on_poison: 'models' })
  ).start({
    modelControlMode: 'explicit',
    loadModel: ['fails_on_poison'],
  });
  const load = driver.load({ model: 'slow_load' });
  await driver.until(() => driver.versions.get('slow_load/1')?.state === 'LOADING', 'the load');
  driver.abandonLoads();
  // The load has failed, or the worker that was to do it leaves: whichever is heard first.
  await expect(load).rejects.toMatchObject({
    code: expect.stringMatching(/^(INVALID_ARGUMENT|UNAVAILABLE)$/) as string,
  });
  await expect(driver.load({ model: 'slow_load' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect((await driver.run('fails_on_poison', [poisonMember(0)])).done.outcome).toBe('ok');
}, 30_000);

test('a model that asks for more memory than there is fails alone', async () => {
  await (
    await driver.withModels({ huge_constant: 'hostile', huge_on_request: 'hostile', simple: 'models' })
  ).start({
    runnerMemoryLimitMb: 2048,
  });
  const constant = { rows: 1, inputs: [{ index: 0, shape: [1], bytes: float(1) }] };
  const huge = await driver.run('huge_constant', [constant]);
  expect(huge.done).toMatchObject({ outcome: 'failed', code: 'RESOURCE_EXHAUSTED' });
  const ask = (...shape: number[]) => ({
    rows: 1,
    inputs: [{ index: 0, shape: [shape.length], bytes: long(...shape) }],
  });
  const tooMuch = await driver.run('huge_on_request', [ask(20_000, 1_000_000)]);
  expect(tooMuch.done).toMatchObject({ outcome: 'failed', code: 'RESOURCE_EXHAUSTED' });
  // Within the machine's memory, but beyond the runner's.
  const beyond = await driver.run('huge_on_request', [ask(20_000, 50_000)]);
  expect(beyond.done).toMatchObject({ outcome: 'failed', code: 'RESOURCE_EXHAUSTED' });
  // What is left may be too little for the process; then it is started again, and a router asks a second time.
  const small = await driver
    .run('huge_on_request', [ask(2, 3)])
    .catch(() => driver.run('huge_on_request', [ask(2, 3)]));
  expect(small.done).toMatchObject({ outcome: 'ok' });
  const [answer] = small.answers;
  if (!answer || answer === 'refused') throw new Error('no answer');
  expect(new Float32Array(new Uint8Array(answer.rawOutputContents[0] ?? []).buffer)[0]).toBe(6);
}, 60_000);

test('an output that the process cannot hold costs that process, and nothing else', async () => {
  await (await driver.withModels({ output_bomb: 'hostile' })).start({ runnerMemoryLimitMb: 768 });
  const ask = (...shape: number[]) => ({
    rows: 1,
    inputs: [
      { index: 0, shape: [1], bytes: float(7) },
      { index: 1, shape: [shape.length], bytes: long(...shape) },
    ],
  });
  const told = await driver.run('output_bomb', [ask(10_000, 10_000)]).then(
    ({ done }) => done.code,
    (thrown: Error) => thrown.message,
  );
  expect(['RESOURCE_EXHAUSTED', 'the runner is gone']).toContain(told);
  const { done, answers } = await driver.run('output_bomb', [ask(2, 3)]);
  expect(done).toMatchObject({ outcome: 'ok' });
  expect(answers[0]).toMatchObject({ outputs: [{ name: 'y', shape: [2, 3] }] });
}, 30_000);

test('runners do not outlive a supervisor that was killed', async () => {
  await driver.withModels({ simple: 'models', endless_loop: 'hostile' });
  const script = `
    const { createLocalBus } = require('@shoal/bus');
    const { systemClock, systemRandom } = require('@shoal/core');
    const { silentLogger } = require('@shoal/telemetry');
    const { modelWorkerFlags, startModelWorker } = require(${JSON.stringify(distPath('index.js'))});
    const defaults = Object.fromEntries(Object.entries(modelWorkerFlags).map(([key, flag]) => [key, flag.default]));
    const config = { ...defaults, modelRepository: [${JSON.stringify(driver.folder)}] };
    const bus = createLocalBus();
    bus.watch('runners/', (key, runner) => console.log(runner.address));
    startModelWorker({ id: 'w', bus, clock: systemClock, random: systemRandom, logger: silentLogger, config, sharedMemoryBytes: 0 });`;
  const supervisor = spawn(process.execPath, ['-e', script], { cwd: __dirname, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  supervisor.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  await driver.until(() => said.split('\n').length > 2, 'two runners');
  const folder = said.slice('unix:'.length, said.indexOf('/r'));
  const pids = pidsOf(folder);
  expect(pids).toHaveLength(2);
  supervisor.kill('SIGKILL');
  await driver.until(() => alive(pids).length === 0, 'their end');
  rmSync(folder, { recursive: true });
}, 30_000);

test('a model for a GPU falls back to the CPU where there is none, and the log says why', async () => {
  await driver.withModels({ simple: 'models' });
  await appendFile(join(driver.folder, 'simple/config.pbtxt'), '\ninstance_group [ { kind: KIND_GPU } ]\n');
  await driver.start();
  const [runner] = await driver.runnersOf('simple');
  expect(runner?.announcement.device).toBe('CPU');
  const passed = /CUDA 0 cannot be used \(.*libonnxruntime_providers\w+\.so is not installed\); falls back to CPU/;
  await driver.until(
    () => driver.log.some(({ level, message }) => level === 'warn' && passed.test(message)),
    'the log',
  );
}, 30_000);

test('a warm-up runs before the model is ready; one that fails keeps it from being loaded', async () => {
  await driver.withModels({ fails_on_poison: 'models', simple_identity: 'models' });
  const sample = (poison: string) => `
model_warmup [ {
  name: "first" batch_size: 4 count: 2
  inputs { key: "X" value { data_type: TYPE_FP32 dims: [ 1 ] random_data: true } }
  inputs { key: "POISON" value { data_type: TYPE_INT64 dims: [ 1 ] ${poison} } }
} ]`;
  const folder = join(driver.folder, 'fails_on_poison');
  const config = await readFile(join(folder, 'config.pbtxt'), 'utf8');
  await mkdir(join(folder, 'warmup'));
  await writeFile(join(folder, 'warmup/poison'), long(1));
  await writeFile(join(folder, 'config.pbtxt'), config + sample('zero_data: true'));
  await appendFile(
    join(driver.folder, 'simple_identity/config.pbtxt'),
    'model_warmup [ { name: "s" batch_size: 1 inputs { key: "INPUT0" value { data_type: TYPE_STRING dims: [ 3 ] random_data: true } } } ]',
  );
  await driver.start({ modelControlMode: 'explicit', loadModel: ['fails_on_poison', 'simple_identity'] });
  expect(driver.versions.get('fails_on_poison/1')?.state).toBe('READY');
  expect(driver.versions.get('simple_identity/1')?.state).toBe('READY');
  await driver.unload('fails_on_poison');
  await writeFile(join(folder, 'config.pbtxt'), config + sample('input_data_file: "poison"'));
  await expect(driver.load({ model: 'fails_on_poison' })).rejects.toThrow(
    /UNAVAILABLE state: Internal: failed to run warmup sample 'first': onnx runtime error/,
  );
  await writeFile(join(folder, 'warmup/poison'), 'short');
  await expect(driver.load({ model: 'fails_on_poison' })).rejects.toThrow(
    /: Invalid argument: warmup sample 'first': the file for input 'POISON' has 5 bytes, not 8;/,
  );
  await writeFile(join(folder, 'config.pbtxt'), config + sample('input_data_file: "../config.pbtxt"'));
  await expect(driver.load({ model: 'fails_on_poison' })).rejects.toThrow(/not in the model's warmup folder/);
}, 30_000);

test('all processes and sockets are gone after the end', async () => {
  await driver.withModels({ simple: 'models', digits_mlp: 'models' });
  await appendFile(join(driver.folder, 'digits_mlp/config.pbtxt'), '\ninstance_group [ { count: 2 } ]\n');
  await driver.start();
  await driver.runnersOf('simple');
  const folder = await runnerFolder('simple');
  const pids = pidsOf(folder);
  expect(pids).toHaveLength(3);
  await driver.stop();
  expect(alive(pids)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
  driver = await new Driver().withModels({});
}, 30_000);

const refused: Readonly<Record<string, RegExp>> = {
  batch_on_fixed_model: /first dimension/,
  config_default_filename_traversal: /must be a file name, not a path/,
  config_labels_traversal: /must lie inside the model folder/,
  config_name_differs: /directory name must equal model name/,
  config_other_platform: /onnxruntime_onnx/,
  config_syntax_error: /config\.pbtxt: 3:/,
  config_unknown_input: /allowed inputs are: x/,
  config_wrong_dims: /\[-1,4\].*\[-1,5\]/,
  config_wrong_type: /TYPE_INT64.*TYPE_FP32/,
  cycle: /not acyclic/,
  dangling_input: /nowhere/,
  empty_file: /\S/,
  external_dotenv: /must stay inside/,
  external_missing: /missing/,
  external_short: /external/i,
  external_symlink: /external data/,
  external_traversal_absolute: /must stay inside/,
  external_traversal_hostname: /must stay inside/,
  future_opset: /opset/i,
  nesting_5000: /nested too deeply/,
  no_version_folder: /version/,
  not_onnx: /no ONNX model/,
  text_file: /no ONNX model/,
  truncated: /damaged/,
  type_mismatch: /Type/,
  unknown_domain: /com\.example/,
  unknown_op: /FrobnicateTensor/,
};

const accepted = ['external_ok', 'huge_input_declared', 'nan_output', 'nesting_15', 'output_bomb', 'overflowing_shape'];

test('every hostile model is refused with a reason that shows no path, or contained; the others are served', async () => {
  await driver.withModels({
    ...Object.fromEntries([...Object.keys(refused), ...accepted].map((model) => [model, 'hostile' as const])),
    simple: 'models',
  });
  const secret = join(driver.folder, 'secret.bin');
  await writeFile(secret, Buffer.alloc(4096, 7));
  await symlink(secret, join(driver.folder, 'external_symlink/1/weights.bin')).catch(() => undefined);
  await driver.start();
  for (const [model, reason] of Object.entries(refused)) {
    const told = driver.versions.get(`${model}/1`)?.reason || driver.models.get(model)?.reason || '(none)';
    expect(`${model}: ${told}`).toMatch(reason);
    expect(told).not.toMatch(/\/tmp|\/work|\/root|\/home|onnxruntime_src|root:x/);
    expect(driver.versions.get(`${model}/1`)?.state ?? 'UNAVAILABLE').toBe('UNAVAILABLE');
  }
  for (const model of [...accepted, 'simple']) {
    expect([model, driver.versions.get(`${model}/1`)?.state]).toEqual([model, 'READY']);
  }
  const [ok] = (
    await driver.run('external_ok', [{ rows: 1, inputs: [{ index: 0, shape: [4], bytes: float(0, 0, 0, 0) }] }])
  ).answers;
  if (!ok || ok === 'refused') throw new Error('no answer');
  expect([...new Float32Array(new Uint8Array(ok.rawOutputContents[0] ?? []).buffer)]).toEqual([1, 2, 3, 4]);
}, 120_000);
