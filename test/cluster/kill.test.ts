import { type Cluster, startCluster } from '../support/cluster';
import { cpuTicks } from '../support/processes';
import { nothing, underLoad } from '../support/under-load';
import { eventually, sleep } from '../support/waiting';

jest.setTimeout(120_000);

const model = 'simple';
let cluster: Cluster | undefined;

beforeAll(async () => {
  cluster = await startCluster(
    { [model]: { append: 'dynamic_batching { }' } },
    { router: 2, batching: 2, 'model-worker': 3 },
  );
});

afterAll(async () => {
  await cluster?.close();
});

test('every router answers', async () => {
  if (!cluster) return;
  const ledger = await underLoad(model, cluster.openDoors, () => sleep(500));
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
});

test('the runners of all workers share the work', async () => {
  if (!cluster) return;
  const runners = cluster.living('model-worker').flatMap((worker) => worker.runners());
  expect(runners).toHaveLength(3);
  const before = runners.map(cpuTicks);
  const used = () => runners.map((pid, i) => cpuTicks(pid) - (before[i] ?? 0));
  // By work done, not by time: however slow the machine is, no runner does less than a twentieth.
  await underLoad(model, cluster.openDoors, () =>
    eventually('there was work to share', () => used().reduce((sum, ticks) => sum + ticks, 0) >= 40, 40_000),
  );
  expect(Math.min(...used())).toBeGreaterThanOrEqual(2);
});

test.each(['batching', 'model-worker'] as const)('a %s process killed with -9 costs no request', async (service) => {
  if (!cluster) return;
  for (let round = 0; round < 2; round += 1) {
    const [victim] = cluster.living(service);
    const ledger = await underLoad(model, cluster.openDoors, async () => {
      await victim?.kill();
      await sleep(1_000);
    });
    expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
    await cluster.start(service);
    await cluster.ready();
  }
});

test('a runner killed with -9 costs no request', async () => {
  if (!cluster) return;
  const [worker] = cluster.living('model-worker');
  const ledger = await underLoad(model, cluster.openDoors, async () => {
    for (const pid of worker?.runners() ?? []) process.kill(pid, 'SIGKILL');
    await sleep(500);
  });
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
});

test('nats-server killed with -9: serving goes on, and the cluster forms again when it is back', async () => {
  if (!cluster) return;
  const ledger = await underLoad(model, cluster.openDoors, async () => {
    await cluster?.nats.kill();
    await sleep(7_000);
  });
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
  await cluster.nats.start();
  await cluster.start('router');
  await cluster.ready();
  const after = await underLoad(model, cluster.openDoors, () => sleep(500));
  expect([after.faults, after.failed]).toEqual([nothing, []]);
});

test('a service that is told to end finishes what it has: no request fails', async () => {
  if (!cluster) return;
  for (const service of ['batching', 'model-worker'] as const) {
    const [leaving] = cluster.living(service);
    await cluster.start(service);
    const ledger = await underLoad(model, cluster.openDoors, () => leaving?.stop() ?? Promise.resolve());
    expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
  }
});

test('a router killed with -9: its clients are told, those of others notice nothing', async () => {
  if (!cluster) return;
  const [victim, ...others] = cluster.openDoors;
  const ledger = await underLoad(model, cluster.openDoors, async () => {
    await victim?.member.kill();
    await sleep(300);
  });
  expect(ledger.faults).toEqual(nothing);
  expect(ledger.failed.length).toBeGreaterThan(0);
  expect(
    ledger.failed.filter(({ id, code }) => !id.endsWith(victim?.member.name ?? '') || code !== 'UNAVAILABLE'),
  ).toEqual([]);
  expect(others.length).toBeGreaterThan(0);
});
