import { MemoryTracing, type SeenSpan, type Span, contextFromWire, spanIdOf } from '@shoal/telemetry';
import { Rig, type TestRouter, type TestRunner, settle } from '../../test/rig';

const fours = 'name: "m" max_batch_size: 4 dynamic_batching { }';

let rig: Rig;
let tracing: MemoryTracing;
let queue: string;
let router: TestRouter;

async function start(config = fours): Promise<void> {
  tracing = new MemoryTracing();
  rig = await Rig.start({}, tracing);
  queue = rig.announce('m', config);
  router = await rig.router('r1');
  await settle();
}

afterEach(() => rig.end());

/** The span of a model, as a router would make it. */
function request(): Span {
  return tracing.tracer('router').startRoot('m', 'internal', rig.clock.now());
}

/** The ids of what a span links to. */
function linked(span: SeenSpan | undefined): string[] {
  return (span?.links ?? []).map(({ spanId }) => spanId);
}

function idIn(trace: Uint8Array | undefined): string | undefined {
  const context = contextFromWire(trace);
  return context && spanIdOf(context);
}

/** Has the first batch run, so that what is offered next waits. */
async function busy(runner: TestRunner): Promise<void> {
  router.offer(queue);
  await settle();
  expect(runner.batches).toHaveLength(1);
}

test('members that are recorded have waits under their own spans, and the batch is a trace of its own with links to them', async () => {
  await start();
  const runner = await rig.runner('w1', queue, 1);
  await busy(runner);
  const [first, second] = [request(), request()];
  const from = rig.clock.now();
  router.offer(queue, { trace: first.wire, timeoutMs: 1000 });
  router.offer(queue, { rows: 2 });
  router.offer(queue, { trace: second.wire });
  await settle();
  await rig.pass(5);
  runner.done(1);
  await settle();
  await rig.pass(7);
  runner.done(2);
  await settle();
  const [batch] = tracing.named('batch');
  expect(tracing.named('batch')).toHaveLength(1);
  expect(batch).toMatchObject({
    service: 'batching',
    kind: 'internal',
    parentSpanId: '',
    startAt: from + 5,
    endAt: from + 12,
    failure: undefined,
    attributes: {
      'shoal.batch.id': 2,
      'shoal.batch.members': 3,
      'shoal.batch.rows': 4,
      'shoal.batch.outcome': 'ok',
      'shoal.queue': queue,
      'shoal.runner': 'w1',
    },
  });
  expect(linked(batch)).toEqual([spanIdOf(first), spanIdOf(second)]);
  const waits = tracing.named('queue');
  expect(waits.map(({ parentSpanId }) => parentSpanId)).toEqual([spanIdOf(first), spanIdOf(second)]);
  for (const wait of waits) {
    expect(wait).toMatchObject({ startAt: from, endAt: from + 5, failure: undefined });
    expect(linked(wait)).toEqual([batch?.spanId]);
  }
  expect(waits.map(({ attributes }) => attributes['shoal.deadline_slack_ms'])).toEqual([995, undefined]);
  expect(waits.map(({ attributes }) => attributes['shoal.queue.ahead'])).toEqual([1, 3]);
  expect(runner.batches.map(({ trace }) => idIn(trace))).toEqual([undefined, batch?.spanId]);
  expect(runner.batches[1]?.grantedMs).toBe(rig.clock.epochMs() - 7);
});

test('of what is not recorded nothing is made, and the runner is told nothing', async () => {
  await start();
  const runner = await rig.runner('w1', queue);
  router.offer(queue);
  await settle();
  runner.done(1);
  await settle();
  expect(tracing.spans).toEqual([]);
  expect(runner.batches).toEqual([{ kind: 'batch', batchId: 1, routers: ['r1'], rows: [1] }]);
});

test('what is cancelled, or waits for too long, has a wait that says so', async () => {
  await start();
  const runner = await rig.runner('w1', queue, 1);
  await busy(runner);
  const left = router.offer(queue, { trace: request().wire });
  router.offer(queue, { trace: request().wire, timeoutMs: 20 });
  await settle();
  await rig.pass(3);
  router.cancel(left);
  await settle();
  await rig.pass(17);
  const waits = tracing.named('queue');
  expect(waits.map(({ attributes, failure }) => [attributes['shoal.queue.outcome'], failure !== undefined])).toEqual([
    ['cancelled', false],
    ['deadline', true],
  ]);
  expect(waits.map(({ endAt, startAt }) => endAt - startAt)).toEqual([3, 20]);
  runner.done(1);
  await settle();
  expect(tracing.named('batch')).toEqual([]);
});

test('members of a batch that failed wait again, and each batch has a link to them', async () => {
  await start();
  const runner = await rig.runner('w1', queue, 1);
  await busy(runner);
  const [good, bad] = [request(), request()];
  router.offer(queue, { trace: good.wire });
  router.offer(queue, { trace: bad.wire });
  await settle();
  runner.done(1);
  await settle();
  const failed = { outcome: 'failed', code: 'INTERNAL', message: 'it broke' } as const;
  runner.done(2, failed);
  await rig.pass(1);
  runner.done(3);
  await rig.pass(1);
  runner.done(4, failed);
  await rig.pass(1);
  expect(router.rejects).toHaveLength(1);
  const batches = tracing.named('batch');
  expect(batches.map(({ failure }) => failure)).toEqual(['it broke', undefined, 'it broke']);
  expect(batches.map(linked)).toEqual([[spanIdOf(good), spanIdOf(bad)], [spanIdOf(good)], [spanIdOf(bad)]]);
  const waits = tracing.named('queue').map((wait) => [wait.parentSpanId, linked(wait)[0]]);
  const [both, one, other] = batches.map(({ spanId }) => spanId);
  expect(waits).toEqual([
    [spanIdOf(good), both],
    [spanIdOf(bad), both],
    [spanIdOf(good), one],
    [spanIdOf(bad), other],
  ]);
});

test('a runner that is lost ends its batches’ spans', async () => {
  await start();
  const runner = await rig.runner('w1', queue);
  router.offer(queue, { trace: request().wire });
  await settle();
  await runner.listener.close();
  await settle();
  expect(tracing.named('batch')).toMatchObject([
    { failure: 'the runner is gone', attributes: { 'shoal.batch.outcome': 'lost', 'error.type': 'UNAVAILABLE' } },
  ]);
  expect(tracing.named('queue')).toHaveLength(1);
});
