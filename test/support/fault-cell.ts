import type { Cluster, ClusterMember } from './cluster';
import type { Condition } from './network';
import { cpuTicks, isAlive } from './processes';
import { roundsFor, slowInputs } from './slow';
import type { ModelInferResponse } from './stock-client';
import { float32, float32Output, inferRequest, isSimpleAnswer, simpleRequest } from './tensors';
import { type Tracked, Tracker } from './tracker';
import { eventually, sleep } from './waiting';

export const victims = ['router', 'batching', 'model-worker', 'runner', 'nats'] as const;
export const harms = ['SIGKILL', 'SIGSTOP', 'reset', 'cut', 'silence', 'delay', 'slow'] as const;
export type Victim = (typeof victims)[number];
export type Harm = (typeof harms)[number];

/** The models that a cluster for this needs. */
export const faultModels = {
  simple: { append: 'dynamic_batching { }' },
  slow_loop: { append: 'dynamic_batching { }' },
  identity_fp32: {},
};

/** How long what does not last by itself is kept up: longer than it takes to give a silent peer up. */
const harmMs = 7_000;

const conditions: Readonly<Partial<Record<Harm, Condition>>> = {
  cut: { cut: 'reset' },
  silence: { cut: 'silent' },
  delay: { delayMs: 300 },
  slow: { rate: 100_000 },
};

/** Numbers in the tensor whose answer is on its way when the fault comes. */
const large = 150_000;
/** Bytes per second of the road that it takes: not so slow that a ping behind it would be late. */
const slowRoad = 400_000;

/**
 * Brings requests to where the fault is to find them, all at a time: an answer on its way back, runs that go on, requests
 * that wait for a runner, and a batch whose bytes have not come. Then harms the victim, undoes it, and resolves with what
 * came of each, once the cluster is whole again.
 */
export async function injectFault(cluster: Cluster, victim: Victim, harm: Harm): Promise<readonly Tracked[]> {
  const [delayed, slowed] = cluster.openDoors;
  const { network } = cluster;
  if (!delayed || !slowed || !network) throw new Error('two routers and a network are needed');
  const rounds = await slowRounds(cluster);
  const tracker = new Tracker();
  const workers = cluster.living('model-worker');
  for (const { name } of workers) {
    network.set(delayed.member.name, name, { delayMs: 700 });
    network.set(slowed.member.name, name, { rate: slowRoad });
  }
  const before = new Map(workers.map(({ name }) => [name, network.traffic(name, slowed.member.name).passed]));
  const numbers = Float32Array.from({ length: large }, (_, i) => i % 1000);
  tracker.ask(
    'replying',
    slowed,
    inferRequest('identity_fp32', [float32('INPUT0', [1, large], [...numbers])]),
    (answer) => float32Output(answer, 'OUTPUT0').every((value, i) => value === numbers[i]),
  );
  const replying = await eventually('an answer is on its way', () =>
    workers.find(({ name }) => network.traffic(name, slowed.member.name).passed > (before.get(name) ?? 0) + 100_000),
  );
  const runners = workers.flatMap((worker) => worker.runners());
  const ticks = new Map(runners.map((pid) => [pid, cpuTicks(pid)]));
  // One for each runner, and enough to fill the queue behind them.
  const slow = (phase: 'running' | 'queued', door: typeof delayed, seed: number) =>
    tracker.ask(phase, door, inferRequest('slow_loop', slowInputs(rounds, seed)), (answer) => isLike(answer, seed));
  for (let i = 0; i < workers.length; i += 1) {
    slow('running', i % 2 === 0 ? delayed : slowed, i);
    await sleep(50);
  }
  await eventually('runs go on', () => runners.some((pid) => cpuTicks(pid) >= (ticks.get(pid) ?? 0) + 10), 20_000);
  for (let i = 0; i < 4; i += 1) slow('queued', i % 2 === 0 ? delayed : slowed, i);
  const held = () => workers.some(({ name }) => network.traffic(delayed.member.name, name).held > 0);
  for (let i = 1; i <= 4; i += 1)
    tracker.ask('in batch', delayed, simpleRequest(i), (answer) => isSimpleAnswer(answer, i));
  await eventually('bytes for a batch are on their way', held);
  await doHarm(cluster, victim, harm, victimOf(cluster, victim, replying));
  network.heal();
  const outcomes = await tracker.all();
  await whole(cluster);
  return outcomes;
}

function victimOf(cluster: Cluster, victim: Victim, worker: ClusterMember): ClusterMember | undefined {
  if (victim === 'nats') return undefined;
  if (victim === 'router') return cluster.living('router')[0];
  if (victim === 'batching') return owner(cluster);
  return worker;
}

/** The batching instance that routers speak with. */
function owner(cluster: Cluster): ClusterMember | undefined {
  const heard = (name: string) =>
    cluster
      .living('router')
      .reduce((sum, router) => sum + (cluster.network?.traffic(router.name, name).passed ?? 0), 0);
  return cluster.living('batching').toSorted((a, b) => heard(b.name) - heard(a.name))[0];
}

async function doHarm(cluster: Cluster, victim: Victim, harm: Harm, member: ClusterMember | undefined): Promise<void> {
  if (harm === 'SIGKILL') return kill(cluster, victim, member);
  if (harm === 'SIGSTOP') {
    const pids = victim === 'runner' ? (member?.runners() ?? []) : [member?.pid ?? cluster.nats.pid ?? 0];
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await sleep(harmMs);
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGCONT');
    return;
  }
  const roads = roadsOf(cluster, victim, member);
  for (const [one, other] of roads) {
    if (harm === 'reset') cluster.network?.reset(one, other);
    else cluster.network?.set(one, other, conditions[harm] ?? {});
  }
  if (harm !== 'reset') await sleep(harmMs);
}

async function kill(cluster: Cluster, victim: Victim, member: ClusterMember | undefined): Promise<void> {
  if (victim === 'runner') {
    for (const pid of member?.runners() ?? []) process.kill(pid, 'SIGKILL');
  } else if (member) await cluster.replace(member, 'kill');
  else {
    await cluster.nats.kill();
    await cluster.nats.start();
  }
}

/** A runner's roads are those to its worker's host; what its worker itself says goes to NATS alone. */
function roadsOf(cluster: Cluster, victim: Victim, member: ClusterMember | undefined): [string, string][] {
  const all = cluster.members.filter(({ pid }) => isAlive(pid)).map(({ name }) => name);
  if (!member) return all.map((name) => ['nats', name]);
  if (victim === 'model-worker') return [[member.name, 'nats']];
  const others = all.filter((name) => name !== member.name).map((name): [string, string] => [member.name, name]);
  return victim === 'runner' ? others : [...others, [member.name, 'nats']];
}

/** All serve again: each worker has its runners, and every router answers. */
async function whole(cluster: Cluster): Promise<void> {
  const models = Object.keys(faultModels).length;
  for (const worker of cluster.living('model-worker')) {
    await eventually(`${worker.name} has its runners`, () => worker.runners().length === models, 60_000);
  }
  await cluster.ready();
  for (const { client } of cluster.openDoors) {
    await eventually(
      'every router answers',
      async () => isSimpleAnswer(await client.infer(simpleRequest(1)), 1),
      20_000,
    );
  }
}

let rounds: number | undefined;
const expected = new Map<number, number[]>();

/** Rounds of `slow_loop` that take a second and a half; learns on the way what it answers. */
async function slowRounds(cluster: Cluster): Promise<number> {
  const [door] = cluster.openDoors;
  if (rounds !== undefined || !door) return rounds ?? 0;
  rounds = await roundsFor(door.client, 1_500);
  for (let seed = 0; seed < 4; seed += 1) {
    const answer = await door.client.infer(inferRequest('slow_loop', slowInputs(rounds, seed)));
    expected.set(seed, float32Output(answer, 'Y'));
  }
  return rounds;
}

/** The same values as when it ran alone; in a batch, sums may be made in another order. */
function isLike(answer: ModelInferResponse, seed: number): boolean {
  const right = expected.get(seed) ?? [];
  return float32Output(answer, 'Y').every((value, i) => Math.abs(value - (right[i] ?? NaN)) <= 1e-3);
}
