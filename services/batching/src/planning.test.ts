import { Rig, type TestRouter, type TestRunner, settle } from '../test/rig';

let rig: Rig;

afterEach(() => rig.end());

/** Runs a hundred batches of 40 ms each, of which the run is 30. */
async function lessons(queue: string, router: TestRouter, runner: TestRunner): Promise<void> {
  for (let i = 0; i < 100; i += 1) {
    router.offer(queue);
    await settle();
    rig.clock.advance(40);
    runner.done(runner.batches.length, { computeInferNs: 30e6 });
    await settle();
  }
}

async function taught(config: Parameters<typeof Rig.start>[0] = {}) {
  rig = await Rig.start(config);
  const queue = rig.announce('m', 'name: "m" max_batch_size: 2 dynamic_batching { }');
  const router = await rig.router('r1');
  const runner = await rig.runner('w1', queue);
  await settle();
  await lessons(queue, router, runner);
  return { queue, router, runner };
}

test('a request that the model cannot answer in time is refused before any runner hears of it', async () => {
  const { queue, router, runner } = await taught();
  const hopeless = router.offer(queue, { timeoutMs: 25 });
  const fine = router.offer(queue, { timeoutMs: 35 });
  await settle();
  rig.clock.advance(0);
  await settle();
  expect(router.rejects).toEqual([
    expect.objectContaining({ offerId: hopeless, code: 'DEADLINE_EXCEEDED', origin: 'queue' }),
  ]);
  expect(router.sends.at(-1)?.offerId).toBe(fine);
  expect(runner.batches).toHaveLength(101);
});

test('--plan-deadlines=false runs it all the same', async () => {
  const { queue, router, runner } = await taught({ planDeadlines: false });
  router.offer(queue, { timeoutMs: 25 });
  await settle();
  expect(router.rejects).toEqual([]);
  expect(runner.batches).toHaveLength(101);
});

test('what was learnt is kept when the service ends, and known when it comes again', async () => {
  const { queue } = await taught();
  const { bus } = rig;
  await rig.drain();
  const entry = await bus.state.get<{ curves: { alphaMs: number }[] }>(`curves/${queue.split('@')[0]}`);
  expect(entry?.value.curves).toEqual([expect.objectContaining({ alphaMs: expect.closeTo(30, 1) as number })]);
});
