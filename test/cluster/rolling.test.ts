import { type Cluster, startCluster } from '../support/cluster';
import { Ledger } from '../support/ledger';
import { backOffMs, movingDoors } from '../support/moving-doors';
import { nothing } from '../support/under-load';
import { eventually, sleep } from '../support/waiting';

jest.setTimeout(180_000);

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

test('every process is replaced, one after the other, and NATS in between: no request fails', async () => {
  if (!cluster) return;
  const doors = movingDoors(cluster.openDoors);
  const ledger = new Ledger(model, doors, 8);
  const replaced: string[] = [];
  try {
    await eventually('the load runs', () => ledger.answered > 100, 20_000);
    for (const service of ['router', 'batching', 'model-worker'] as const) {
      for (const member of cluster.living(service)) {
        await cluster.replace(member);
        await cluster.ready();
        // Clients may have found nobody at its address.
        await sleep(5 * backOffMs);
        const before = ledger.answered;
        await eventually('the load goes on', () => ledger.answered > before + 100, 20_000);
        replaced.push(member.name);
      }
      await cluster.nats.kill('SIGTERM');
      await cluster.nats.start();
    }
  } finally {
    await ledger.stop();
    for (const { client } of doors) client.close();
  }
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
  expect(replaced).toHaveLength(7);
});
