import { type QueueReport, type RequestStory, instanceSubject, queuesSubject, requestSubject } from '@shoal/bus';
import type { BatchingConfig } from '../flags';
import { Rig, settle } from '../../test/rig';

const pairs = 'name: "m" max_batch_size: 2 dynamic_batching { }';
let rig: Rig;

afterEach(() => rig.end());

async function serving(config: Partial<BatchingConfig> = {}) {
  rig = await Rig.start(config);
  const queue = rig.announce('m', pairs);
  const router = await rig.router('r1');
  const runner = await rig.runner('w1', queue);
  await settle();
  return { queue, router, runner };
}

function stories(requestId: string, most = 10): Promise<RequestStory[]> {
  return rig.bus.call(instanceSubject(requestSubject, 'b0'), { requestId, most });
}

test('which batch a request ran in, with whom, why then, and what it took', async () => {
  const { queue, router, runner } = await serving();
  router.offer(queue, { requestId: 'first' });
  await settle();
  await rig.pass(10);
  for (const requestId of ['second', 'third', 'fourth']) router.offer(queue, { requestId });
  await settle();
  await rig.pass(30);
  expect(await stories('second')).toEqual([]);
  runner.done(1, { waitNs: 1e6, computeInputNs: 0, computeInferNs: 25e6, computeOutputNs: 0 });
  await settle();
  const [first] = await stories('first');
  expect(first).toMatchObject({ requestId: 'first', router: 'r1', queue, rows: 1, queueMs: 0, offerId: 1 });
  expect(first?.batch).toMatchObject({ id: 1, reason: 'idle', outcome: 'ok', tookMs: 40, waitMs: 1, runMs: 25 });
  const [second] = await stories('second');
  expect(second?.queueMs).toBe(30);
  expect(second?.batch).toMatchObject({ id: 2, runner: 'w1', reason: 'full', requests: 2, rows: 2, leftRows: 1 });
  expect(second?.batch).toMatchObject({ outcome: '', dispatchedMs: (second?.acceptedMs ?? 0) + 30 });
  expect(second?.batch?.members).toEqual([
    { requestId: 'second', rows: 1, queueMs: 30 },
    { requestId: 'third', rows: 1, queueMs: 30 },
  ]);
});

test('a request that was refused, and an id that is used again: the newest first', async () => {
  const { queue, router, runner } = await serving({ maxQueueRequests: 1 });
  router.offer(queue);
  await settle();
  for (let i = 0; i < 2; i += 1) {
    await rig.pass(1);
    router.offer(queue, { requestId: 'x' });
    await settle();
  }
  runner.done(1);
  await settle();
  const [refused, ran, ...more] = await stories('x');
  expect(more).toEqual([]);
  expect(refused?.rejection).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'full' });
  expect(refused?.batch).toBeUndefined();
  expect(ran?.batch).toMatchObject({ id: 2, requests: 1 });
  expect(await stories('x', 1)).toEqual([refused]);
  expect(await stories('')).toEqual([]);
});

test('a batch that failed, and its parts', async () => {
  const { queue, router, runner } = await serving();
  router.offer(queue);
  await settle();
  for (const requestId of ['a', 'b']) router.offer(queue, { requestId });
  runner.done(1);
  await settle();
  runner.done(2, { outcome: 'failed', code: 'INTERNAL', message: 'no' });
  await settle();
  const told = await stories('a');
  expect(told.map(({ batch }) => [batch?.id, batch?.reason, batch?.outcome])).toEqual([
    [3, 'retry', ''],
    [2, 'preferred', 'failed'],
  ]);
});

test('only so many batches are remembered, and none where nobody will ask', async () => {
  const { queue, router, runner } = await serving({ batchJournal: 2 });
  for (let i = 1; i <= 4; i += 1) {
    router.offer(queue, { requestId: `t${i}` });
    await settle();
    runner.done(i);
    await settle();
  }
  expect((await stories('t4'))[0]?.batch?.id).toBe(4);
  expect((await stories('t3'))[0]?.batch?.id).toBe(3);
  // Its members' ring is longer than that of the batches: who it was is known, and no more.
  expect((await stories('t1'))[0]).toMatchObject({ requestId: 't1', queue: '' });
  await rig.end();
  const off = await serving({ batchJournal: 0 });
  off.router.offer(off.queue, { requestId: 't' });
  await settle();
  expect(await stories('t')).toEqual([]);
});

test('a router that asks is told of the batch with its place', async () => {
  const { queue, router, runner } = await serving();
  router.offer(queue, { why: true });
  router.offer(queue);
  await settle();
  runner.done(1);
  await settle();
  expect(router.sends[0]?.facts).toEqual({ requests: 1, rows: 1, reason: 'idle', queueUs: 0 });
  expect(router.sends[1]).not.toHaveProperty('facts');
});

test('how queues stand, of a model or of all', async () => {
  const { queue, router } = await serving();
  rig.announce('other', 'name: "other"');
  await settle();
  for (let i = 0; i < 5; i += 1) router.offer(queue);
  await settle();
  await rig.pass(20);
  const ask = (model: string) => rig.bus.call<object, QueueReport[]>(instanceSubject(queuesSubject, 'b0'), { model });
  const [report, ...others] = await ask('m');
  expect(others).toEqual([]);
  expect(report).toMatchObject({ model: 'm', version: 1, queue, waiting: 4, waitingRows: 4, oldestMs: 20 });
  expect(report).toMatchObject({ runners: 1, idleRunners: 0, inFlight: 1, curves: [] });
  expect((await ask('')).map(({ model }) => model)).toEqual(['m', 'other']);
});
