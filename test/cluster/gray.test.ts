import { type Cluster, startCluster } from '../support/cluster';
import type { Ledger } from '../support/ledger';
import { isAlive } from '../support/processes';
import { nothing, underLoad } from '../support/under-load';
import { eventually, sleep } from '../support/waiting';

/*
 * Gray failures: a process that stands still (SIGSTOP) keeps its sockets open and takes what the kernel takes for it. The
 * others must go on without it, and what it says when it wakes must harm nobody.
 */

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

/**
 * Stops a process, and wakes it when all that had been sent to the others by then is answered, and others' requests are
 * again; a process that is waited for would hold them up for ever.
 */
async function standStill(ledger: Ledger, pid: number, door = ''): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  try {
    // So much comes in that waits for it, or is sent to it.
    await sleep(500);
    const stopped = performance.now();
    await eventually('what was sent is settled without it', () => ledger.settledBefore(stopped, door), 20_000);
    const before = ledger.answered;
    await eventually('others are answered without it', () => ledger.answered > before + 200, 20_000);
  } finally {
    // A runner that answers no ping has been ended by its supervisor.
    if (isAlive(pid)) process.kill(pid, 'SIGCONT');
  }
}

test.each(['batching', 'model-worker'] as const)('a %s process that stands still costs no request', async (service) => {
  if (!cluster) return;
  // One of the two batching processes has the queues; a worker is like the other.
  for (const { pid } of cluster.living(service).slice(0, service === 'batching' ? 2 : 1)) {
    const ledger = await underLoad(model, cluster.openDoors, (load) => standStill(load, pid));
    expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
  }
});

test('a runner that stands still costs no request', async () => {
  if (!cluster) return;
  const [pid = 0] = cluster.living('model-worker')[0]?.runners() ?? [];
  const ledger = await underLoad(model, cluster.openDoors, (load) => standStill(load, pid));
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
});

test('a router that stands still holds up its own clients alone, and answers them when it wakes', async () => {
  if (!cluster) return;
  const [door] = cluster.openDoors;
  if (!door) return;
  const ledger = await underLoad(model, cluster.openDoors, (load) =>
    standStill(load, door.member.pid, door.member.name),
  );
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
});

test('nats-server that stands still is not needed', async () => {
  if (!cluster) return;
  const ledger = await underLoad(model, cluster.openDoors, async (load) => {
    cluster?.nats.signal('SIGSTOP');
    // Longer than it takes to give a silent process up.
    await sleep(6_000);
    const stopped = performance.now();
    await eventually('what was sent is settled without it', () => load.settledBefore(stopped), 20_000);
    cluster?.nats.signal('SIGCONT');
  });
  expect([ledger.faults, ledger.failed]).toEqual([nothing, []]);
});
