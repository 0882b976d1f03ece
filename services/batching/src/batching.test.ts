import { type RetireCall, batchingPrefix, instanceSubject, retireSubject } from '@shoal/bus';
import { Rig, settle } from '../test/rig';

const pairs = 'name: "m" max_batch_size: 2 dynamic_batching { }';
let rig: Rig;

afterEach(() => rig.end());

/** A rig with one model and one router. */
async function serving(config = pairs) {
  rig = await Rig.start();
  const queue = rig.announce('m', config);
  const router = await rig.router('r1');
  await settle();
  return { queue, router };
}

function retire(queue: string, timeoutMs: number): Promise<object> {
  return rig.bus.call<RetireCall, object>(instanceSubject(retireSubject, 'b0'), { queue, timeoutMs });
}

test('announces where it can be reached, and not any more once it drains', async () => {
  rig = await Rig.start();
  const news: unknown[] = [];
  rig.bus.watch(batchingPrefix, (key, value) => news.push([key, value]));
  await settle();
  expect(news).toEqual([['batching/b0', { id: 'b0', address: 'inproc:batching' }]]);
  await rig.drain();
  expect(news.slice(1)).toEqual([['batching/b0', undefined]]);
});

test('a batch goes to its runner, and each router is told where to send its bytes', async () => {
  const { queue, router } = await serving();
  const other = await rig.router('r2');
  const runner = await rig.runner('w1', queue);
  const first = router.offer(queue);
  await settle();
  router.offer(queue, { rows: 1 });
  other.offer(queue, { rows: 1 });
  await settle();
  expect(runner.batches).toEqual([{ kind: 'batch', batchId: 1, routers: ['r1'], rows: [1] }]);
  expect(router.sends).toEqual([{ kind: 'send', offerId: first, batchId: 1, member: 0, runner: 'w1' }]);
  runner.done(1);
  await settle();
  expect(runner.batches[1]).toEqual({ kind: 'batch', batchId: 2, routers: ['r1', 'r2'], rows: [1, 1] });
  expect(router.sends[1]).toMatchObject({ offerId: 2, batchId: 2, member: 0 });
  expect(other.sends).toEqual([{ kind: 'send', offerId: 1, batchId: 2, member: 1, runner: 'w1' }]);
  runner.done(2);
  await settle();
  expect([...router.rejects, ...other.rejects]).toEqual([]);
});

test('runners that come before their queue, or before they are announced to listen, are used all the same', async () => {
  rig = await Rig.start();
  const runner = await rig.runner('w1', 'm/1@g1');
  rig.announce('m', undefined, 'LOADING');
  await settle();
  const queue = rig.announce('m', pairs);
  const router = await rig.router('r1');
  await settle();
  router.offer(queue);
  await settle();
  expect(runner.batches).toHaveLength(1);
  runner.done(1);
});

test('a runner that cannot be reached at first is tried again', async () => {
  const { queue, router } = await serving();
  rig.bus.announce('runners/w1', {
    id: 'w1',
    address: 'inproc:w1',
    model: 'm',
    version: 1,
    generation: 'g1',
    device: 'CPU',
  });
  await settle();
  router.offer(queue);
  const runner = await rig.runner('w1', queue);
  expect(runner.batches).toEqual([]);
  await rig.pass(50);
  expect(runner.batches).toHaveLength(1);
  runner.done(1);
  await settle();
});

test('an unknown queue is refused in Triton’s words', async () => {
  const { router } = await serving();
  const offerId = router.offer('gone/3@x');
  await settle();
  expect(router.rejects).toEqual([
    {
      kind: 'reject',
      offerId,
      code: 'UNAVAILABLE',
      message: "Request for unknown model: 'gone' version 3 is not at ready state",
      origin: 'queue',
    },
  ]);
});

test('the model’s config decides: preferred sizes, delay, priorities, timeouts', async () => {
  const { queue, router } = await serving(`
    name: "m" max_batch_size: 8
    dynamic_batching {
      preferred_batch_size: [ 4 ] max_queue_delay_microseconds: 20000
      priority_levels: 2 default_priority_level: 2
      default_queue_policy { default_timeout_microseconds: 10000 allow_timeout_override: true max_queue_size: 3 }
      priority_queue_policy { key: 1 value { timeout_action: DELAY default_timeout_microseconds: 5000 } }
    }`);
  const runner = await rig.runner('w1', queue);
  const ids = [1, 2, 0, 5, 2].map((priority) => router.offer(queue, { priority }));
  await settle();
  // Four make the preferred size, in order of priority; the fifth is refused only if three of its level wait: they do not.
  expect(runner.batches.map(({ rows }) => rows)).toEqual([[1, 1, 1, 1]]);
  expect(router.sends.map(({ offerId }) => offerId)).toEqual(ids.slice(0, 4));
  router.offer(queue);
  router.offer(queue);
  const full = router.offer(queue);
  await settle();
  expect(router.rejects).toMatchObject([{ offerId: full, code: 'UNAVAILABLE', message: 'Exceeds maximum queue size' }]);
  await rig.pass(10);
  expect(router.rejects.slice(1).map(({ message }) => message)).toEqual(Array(3).fill('Request timeout expired'));
  runner.done(1);
  await settle();
});

test('the flags bound what a config does not', async () => {
  rig = await Rig.start({ maxQueueRequests: 1 });
  const queue = rig.announce('m', pairs);
  const router = await rig.router('r1');
  await settle();
  router.offer(queue);
  router.offer(queue);
  await settle();
  expect(router.rejects).toMatchObject([{ offerId: 2, code: 'RESOURCE_EXHAUSTED', origin: 'queue' }]);
});

test('deadlines are kept by one timer', async () => {
  const { queue, router } = await serving();
  const before = rig.clock.pending;
  router.offer(queue, { timeoutMs: 30 });
  router.offer(queue, { timeoutMs: 20 });
  await settle();
  expect(rig.clock.pending).toBe(before + 1);
  await rig.pass(20);
  expect(router.rejects).toMatchObject([{ offerId: 2, code: 'DEADLINE_EXCEEDED' }]);
  await rig.pass(10);
  expect(router.rejects).toMatchObject([{ offerId: 2 }, { offerId: 1, code: 'DEADLINE_EXCEEDED' }]);
});

test('what a router cancels, or leaves behind, runs for nobody', async () => {
  const { queue, router } = await serving();
  const other = await rig.router('r2');
  router.cancel(router.offer(queue));
  router.offer(queue);
  other.offer(queue);
  await settle();
  await router.link.close();
  await settle();
  const runner = await rig.runner('w1', queue);
  expect(runner.batches.map(({ routers }) => routers)).toEqual([['r2']]);
  runner.done(1);
});

test('an offer made twice under one id counts once', async () => {
  const { queue, router } = await serving();
  router.offer(queue, { offerId: 7 });
  router.offer(queue, { offerId: 7 });
  const runner = await rig.runner('w1', queue);
  expect(runner.batches.map(({ rows }) => rows)).toEqual([[1]]);
  runner.done(1);
});

test('a run that fails is bisected; the request that fails alone is told why', async () => {
  const { queue, router } = await serving();
  const [good, bad] = [router.offer(queue), router.offer(queue)];
  await settle();
  const runner = await rig.runner('w1', queue, 1);
  const failure = { outcome: 'failed', code: 'INVALID_ARGUMENT', message: 'poison' } as const;
  runner.done(1, failure);
  await settle();
  runner.done(2);
  await settle();
  runner.done(3, failure);
  await settle();
  expect(router.sends.map(({ offerId, batchId }) => [offerId, batchId])).toEqual([
    [good, 1],
    [bad, 1],
    [good, 2],
    [bad, 3],
  ]);
  expect(router.rejects).toEqual([
    { kind: 'reject', offerId: bad, code: 'INVALID_ARGUMENT', message: 'poison', origin: 'model' },
  ]);
});

test('a lost runner’s requests are left to their routers, who offer them again', async () => {
  const { queue, router } = await serving();
  const runner = await rig.runner('w1', queue);
  router.offer(queue);
  await settle();
  await runner.listener.close();
  await settle();
  expect(router.rejects).toEqual([]);
  const next = await rig.runner('w2', queue);
  router.offer(queue, { solo: true, ageMs: 5 });
  await settle();
  expect(next.batches).toHaveLength(1);
  next.done(next.batches[0]?.batchId ?? 0);
  rig.bus.withdraw('runners/w1');
  await settle();
});

test('a runner that retires is granted nothing more', async () => {
  const { queue, router } = await serving();
  const runner = await rig.runner('w1', queue);
  runner.links[0]?.send({ kind: 'retire' });
  await settle();
  router.offer(queue);
  await settle();
  expect(runner.batches).toEqual([]);
});

test('retire resolves when the queue is drained, and refuses newcomers', async () => {
  const { queue, router } = await serving();
  const runner = await rig.runner('w1', queue);
  router.offer(queue);
  await settle();
  let resolved = false;
  const retired = retire(queue, 5000).then(() => (resolved = true));
  await settle();
  const late = router.offer(queue);
  await settle();
  expect(router.rejects).toMatchObject([
    { offerId: late, code: 'UNAVAILABLE', message: "Request for unknown model: 'm' version 1 is not at ready state" },
  ]);
  expect(resolved).toBe(false);
  runner.done(1);
  await retired;
  await expect(retire(queue, 5000)).resolves.toEqual({});
});

test('retire gives up after its time: what waits is refused, what runs is left alone', async () => {
  const { queue, router } = await serving();
  const runner = await rig.runner('w1', queue, 1);
  router.offer(queue, { rows: 2 });
  router.offer(queue);
  await settle();
  const retired = retire(queue, 100);
  await settle();
  await rig.pass(100);
  await retired;
  expect(router.rejects).toMatchObject([{ offerId: 2, code: 'UNAVAILABLE' }]);
  runner.done(1);
  await settle();
});

test('a version that goes away takes its queue with it', async () => {
  const { queue, router } = await serving();
  router.offer(queue);
  await settle();
  rig.announce('m', undefined, 'UNAVAILABLE');
  await settle();
  expect(router.rejects).toMatchObject([{ offerId: 1, code: 'UNAVAILABLE' }]);
});

test('a reload opens a second queue; the first one serves on until it is retired', async () => {
  const { queue, router } = await serving();
  const old = await rig.runner('w1', queue);
  const next = rig.announce('m', pairs, 'READY', 'g2');
  const fresh = await rig.runner('w2', next);
  router.offer(queue);
  router.offer(next);
  await settle();
  expect([old.batches.length, fresh.batches.length]).toEqual([1, 1]);
  old.done(old.batches[0]?.batchId ?? 0);
  fresh.done(fresh.batches[0]?.batchId ?? 0);
  await settle();
  await retire(queue, 1000);
});

test('draining waits for what was accepted, then ends its links', async () => {
  const { queue, router } = await serving();
  const runner = await rig.runner('w1', queue);
  let closed = false;
  router.link.onClose(() => (closed = true));
  router.offer(queue);
  await settle();
  const drained = rig.drain();
  await settle();
  expect(closed).toBe(false);
  runner.done(1);
  await drained;
  await settle();
  expect(closed).toBe(true);
  expect(runner.links).toEqual([]);
});
