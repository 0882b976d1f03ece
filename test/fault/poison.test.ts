import { isDeepStrictEqual } from 'node:util';
import { type Shoal, startShoal } from '../support/shoal';
import { float32, float32Output, inferRequest, int64 } from '../support/tensors';
import { eventually } from '../support/waiting';

let shoal: Shoal;

beforeAll(async () => {
  const append = 'dynamic_batching { preferred_batch_size: [ 8 ] max_queue_delay_microseconds: 1000000 }';
  shoal = await startShoal({ models: { fails_on_poison: { append } } });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

const member = (value: number, poisoned: boolean) =>
  inferRequest('fails_on_poison', [float32('X', [1, 1], [value]), int64('POISON', [1, 1], [poisoned ? 1 : 0])]);

async function statistics() {
  const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name: 'fails_on_poison' });
  const { success, fail } = stats[0]!.inference_stats!;
  return { success: success!.count, fail: fail!.count };
}

test.each([[[3]], [[0, 7]], [[0, 1, 2, 3, 4, 5, 6, 7]], [[]]])(
  'of a batch of eight only the poisoned members fail: %j',
  async (poisoned) => {
    const before = await statistics();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => shoal.client.infer(member(i, poisoned.includes(i)))),
    );
    outcomes.forEach((outcome, i) => {
      const answer =
        outcome.status === 'fulfilled' ? float32Output(outcome.value, 'Y') : (outcome.reason as { code: number }).code;
      // 13 is INTERNAL.
      expect(answer).toEqual(poisoned.includes(i) ? 13 : [i + 1]);
    });
    const wanted = { success: before.success + 8 - poisoned.length, fail: before.fail + poisoned.length };
    // The counts follow an answer by a moment.
    await eventually('all eight are counted', async () => isDeepStrictEqual(await statistics(), wanted));
    expect(await statistics()).toEqual(wanted);
  },
  20_000,
);

test('a failed run does not cost the model its process', () => {
  expect(shoal.runners()).toHaveLength(1);
  expect(shoal.output).not.toMatch(/restart/i);
});
