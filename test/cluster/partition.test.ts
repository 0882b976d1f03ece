import { type Cluster, type ClusterMember, startCluster } from '../support/cluster';
import type { Ledger } from '../support/ledger';
import { nothing, underLoad } from '../support/under-load';
import { eventually, sleep } from '../support/waiting';

/* The network between some of them swallows everything, while others still hear each other. */

jest.setTimeout(120_000);

const model = 'simple';
/** Longer than it takes to give up a process that is not heard: on links, and in NATS. */
const partitionMs = 8_000;
let cluster: Cluster | undefined;

beforeAll(async () => {
  cluster = await startCluster(
    { [model]: { append: 'dynamic_batching { }' } },
    { router: 2, batching: 2, 'model-worker': 2 },
    { network: true },
  );
});

afterAll(async () => {
  await cluster?.close();
});

/** While roads are silent, all that had been sent by then is settled, and more. */
async function partition(roads: (cluster: Cluster) => readonly (readonly [string, string])[]): Promise<Ledger> {
  if (!cluster) throw new Error('no cluster');
  const { network, openDoors } = cluster;
  const parted = roads(cluster);
  const ledger = await underLoad(model, openDoors, async (load) => {
    for (const [one, other] of parted) network?.set(one, other, { cut: 'silent' });
    await sleep(partitionMs);
    const now = performance.now();
    await eventually('what was sent is settled', () => load.settledBefore(now), 20_000);
    network?.heal();
  });
  expect(ledger.answered).toBeGreaterThan(300);
  return ledger;
}

const names = (members: readonly ClusterMember[]) => members.map(({ name }) => name);

test('each router hears none of another batching process: one of them has the queues', async () => {
  if (!cluster) return;
  const [one = '', other = ''] = names(cluster.living('batching'));
  const [first = '', second = ''] = names(cluster.living('router'));
  const ledger = await partition(() => [
    [first, one],
    [second, other],
  ]);
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
});

test('one router and one batching process hear none of the runners of another worker each', async () => {
  if (!cluster) return;
  const [router = ''] = names(cluster.living('router'));
  const [batching = ''] = names(cluster.living('batching'));
  const [one = '', other = ''] = names(cluster.living('model-worker'));
  const ledger = await partition(() => [
    [router, one],
    [batching, other],
  ]);
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
});

test('no batching process and no model-worker hears NATS: their links are open, so serving goes on', async () => {
  if (!cluster) return;
  const ledger = await partition((all) =>
    names([...all.living('batching'), ...all.living('model-worker')]).map((name) => [name, 'nats']),
  );
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
});
