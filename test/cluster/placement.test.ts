import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Cluster, type ClusterMember, type Door, startCluster } from '../support/cluster';
import { Ledger } from '../support/ledger';
import { fixtures } from '../support/paths';
import { isAlive } from '../support/processes';
import { simpleRequest } from '../support/tensors';
import { eventually, sleep } from '../support/waiting';

jest.setTimeout(120_000);

// What is wanted of models is said to any router, and all workers carry it out.
const model = 'simple';
const explicit = ['--model-control-mode=explicit', '--placement-settle-secs=0.2'];
let cluster: Cluster | undefined;
let doors: readonly Door[] = [];

beforeAll(async () => {
  cluster = await startCluster(
    { [model]: { append: 'dynamic_batching { }' } },
    { router: 2, batching: 2, 'model-worker': 3 },
    { args: { 'model-worker': explicit } },
  );
  doors = cluster?.doors ?? [];
});

afterAll(async () => {
  await cluster?.close();
});

const nothing = { wrong: [], doubled: [], hung: [] };
const control = (index = 0) => doors[index]!.control;
const client = (index = 0) => doors[index]!.client;

function workers(): ClusterMember[] {
  return (cluster?.members ?? []).filter(({ name, pid }) => name.startsWith('model-worker') && isAlive(pid));
}

function named(id: string): ClusterMember {
  const found = workers().find(({ name }) => name === id);
  if (found === undefined) throw new Error(`no worker ${id}`);
  return found;
}

/** Under load does `harm`, lets things go on; every request must have been answered. */
async function costsNothing(harm: () => Promise<unknown>): Promise<void> {
  const ledger = new Ledger(model, doors, 4);
  await eventually('the load runs', () => ledger.answered > 50, 20_000);
  await harm();
  const before = ledger.answered;
  await eventually('the load goes on', () => ledger.answered > before + 100, 20_000);
  await ledger.stop();
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
}

test('a load by one router has as many workers serve the model as it says, and another router knows', async () => {
  if (!cluster) return;
  await control(0).call('LoadModel', { model, replicas: { count: 2 } });
  expect(await control(1).servers(model)).toHaveLength(2);
  expect(workers().flatMap((worker) => worker.runners())).toHaveLength(2);
  await costsNothing(() => sleep(200));
});

test('more or fewer workers under load: no request is lost', async () => {
  if (!cluster) return;
  await costsNothing(async () => {
    await control(1).call('SetReplicas', { model, replicas: { count: 3 } });
    expect(await control(0).servers(model)).toHaveLength(3);
    await control(0).call('SetReplicas', { model, replicas: { count: 1 } });
    await eventually('one serves it', async () => (await control(1).servers(model)).length === 1);
    await control(0).call('SetReplicas', { model, replicas: { count: 2 } });
  });
});

test('a worker killed with -9: its copy comes up elsewhere, and no request is lost', async () => {
  if (!cluster) return;
  const [victim = ''] = await control().servers(model);
  await costsNothing(async () => {
    await named(victim).kill();
    await eventually(
      'two others serve it',
      async () => {
        const serving = await control().servers(model);
        return serving.length === 2 && !serving.includes(victim);
      },
      30_000,
    );
  });
  expect(await control(1).servers(model)).not.toContain(victim);
  await cluster.start('model-worker', explicit);
});

test('a worker that is told to end hands its copy over first', async () => {
  if (!cluster) return;
  const [leaving = ''] = await control().servers(model);
  await costsNothing(() => named(leaving).stop());
  const serving = await control().servers(model);
  expect([serving.length, serving.includes(leaving)]).toEqual([2, false]);
  await cluster.start('model-worker', explicit);
});

test('a reload goes from worker to worker under load: never fewer than before, no request lost', async () => {
  if (!cluster) return;
  await control().call('SetReplicas', { model, replicas: { all: true } });
  expect(await control().servers(model)).toHaveLength(3);
  for (const repository of cluster.repositories) {
    repository.editConfig(model, (text) => text.replace('max_batch_size: 8', 'max_batch_size: 16'));
  }
  const runners = new Set(workers().flatMap((worker) => worker.runners()));
  let fewest = Infinity;
  const watching = new AbortController();
  const watch = (async () => {
    while (!watching.signal.aborted) {
      const { workers: all } = await control().model(model);
      const ready = all.filter(({ versions }) => versions.some(({ state }) => state === 'READY'));
      fewest = Math.min(fewest, ready.length);
    }
  })();
  await costsNothing(() => control(1).call('ReloadModel', { model }));
  watching.abort();
  await watch;
  expect(fewest).toBe(3);
  const { config } = await client().call('ModelConfig', { name: model });
  expect(config?.max_batch_size).toBe(16);
  await eventually('the old runners end', () => ![...runners].some(isAlive));
});

test('files of megabytes come with a load and reach every worker; unloading leaves nothing', async () => {
  if (!cluster) return;
  const onnx = readFileSync(path.join(fixtures, 'models', model, '1', 'model.onnx'));
  const config = JSON.stringify({ backend: 'onnxruntime', max_batch_size: 8 });
  await client(0).call('RepositoryModelLoad', {
    model_name: 'uploaded',
    parameters: {
      config: { string_param: config },
      'file:1/model.onnx': { bytes_param: onnx },
      'file:1/weights.bin': { bytes_param: randomBytes(2 * 2 ** 20) },
    },
  });
  expect(await control(1).servers('uploaded')).toHaveLength(3);
  await client(1).infer(simpleRequest(7, {}, 'uploaded'));
  await client(1).call('RepositoryModelUnload', { model_name: 'uploaded' });
  expect(await control(0).servers('uploaded')).toEqual([]);
  expect((await client(0).failure('ModelInfer', simpleRequest(7, {}, 'uploaded'))).code).not.toBe('OK');
});

test('what fails on a worker fails the load in Triton’s words, and what was wanted before stands', async () => {
  if (!cluster) return;
  const before = await control().model(model);
  const config = { string_param: '{"backend":"no_such_backend"}' };
  const failure = await client(1).failure('RepositoryModelLoad', { model_name: model, parameters: { config } });
  expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(failure.details).toMatch(/^load failed for model 'simple': version 1 is at UNAVAILABLE state: /);
  await eventually('all stands as before', async () => {
    const now = await control().model(model);
    return JSON.stringify(now.workers) === JSON.stringify(before.workers);
  });
  await costsNothing(() => sleep(100));
});

test('what cannot be placed says why', async () => {
  if (!cluster) return;
  const failed = control().call('SetReplicas', { model, replicas: { count: 9 } });
  await expect(failed).rejects.toMatchObject({
    details: "'simple' cannot be placed on 9 workers: 3 can take it, no more are there",
  });
  // What they had begun for it is taken back.
  await eventually('all serve it', async () => (await control().servers(model)).length === 3);
});

test('without NATS a load is refused with a remedy and serving goes on; a restart of NATS keeps what is wanted', async () => {
  if (!cluster) return;
  await control().call('SetReplicas', { model, replicas: { count: 2 } });
  const serving = await eventually('two serve it', async () => {
    const ids = await control().servers(model);
    return ids.length === 2 && ids;
  });
  await costsNothing(async () => {
    await cluster?.nats.kill();
    const failure = await eventually('a refusal', async () => {
      const one = await client().failure('RepositoryModelLoad', { model_name: model });
      return one.code === 'UNAVAILABLE' && one;
    });
    expect(failure.details).toMatch(/Try again when NATS is back/);
    await cluster?.nats.start();
    await eventually('a load is taken', async () => {
      return (await client().failure('RepositoryModelLoad', { model_name: model })).code === 'OK';
    });
  });
  expect(await control().servers(model)).toEqual(serving);
});

test('a NATS server that has lost its disk unloads nothing, and learns again what is wanted', async () => {
  if (!cluster) return;
  await costsNothing(async () => {
    await cluster?.nats.kill();
    cluster?.nats.forget();
    await cluster?.nats.start();
    await cluster?.start('router');
    const fresh = cluster!.doors.at(-1)!;
    await eventually('the newcomer knows what is wanted', async () => {
      const { by_request: byRequest, chosen } = await fresh.control.model(model);
      return byRequest && chosen.length === 2 && (await fresh.control.servers(model)).length === 2;
    });
  });
  expect(await control().servers(model)).toHaveLength(2);
});

test('an unload by any router is one everywhere', async () => {
  if (!cluster) return;
  await client(1).call('RepositoryModelUnload', { model_name: model });
  expect(await control(0).servers(model)).toEqual([]);
  await eventually('no runner is left', () => workers().every((worker) => worker.runners().length === 0));
});
