import { type Shoal, startShoal } from '../support/shoal';
import { inferRequest, int32 } from '../support/tensors';
import { eventually } from '../support/waiting';

/*
 * Scenarios of Triton's L0_batcher over gRPC, as far as they do not hang on time: preferred are 2 and 6, and what is held
 * back is held for longer than any test lasts, until company comes for it.
 */
const scenarios = {
  /** The 3 goes at once, for the 4 takes it past every preferred size; the 4 waits. */
  multi_batch_sum_gt_max_preferred: { offers: [3, 4], held: [1], company: 2, batches: { 3: 1, 6: 1 } },
  static_batch_gt_max_preferred: { offers: [7], held: [], company: 0, batches: { 7: 1 } },
  multi_batch_gt_max_preferred: { offers: [3, 7], held: [], company: 0, batches: { 3: 1, 7: 1 } },
  /** Singles go as soon as they are two. */
  multi_batch_use_best_preferred: { offers: [1, 1, 1], held: [2], company: 1, batches: { 2: 2 } },
  multi_batch_not_preferred: { offers: [1, 3], held: [0], company: 2, batches: { 6: 1 }, together: true },
  /** Another shape closes a batch: it goes, whatever its size. */
  multi_batch_not_preferred_different_shape: {
    offers: [1, -3],
    held: [1],
    company: -3,
    batches: { 1: 1, 6: 1 },
  },
  multi_batch_preferred_different_shape: { offers: [1, 1, -4, -2], held: [], company: 0, batches: { 2: 1, 6: 1 } },
} as const;

let shoal: Shoal;

beforeAll(async () => {
  const model = {
    from: 'golden-models',
    fixture: 'batcher_pref',
    edit: (config: string) => config.replace(/(max_queue_delay_microseconds): \d+/, '$1: 100000000'),
  } as const;
  shoal = await startShoal({ models: Object.fromEntries(Object.keys(scenarios).map((name) => [name, model])) });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

/** So many rows; below 0: of another shape. */
function request(model: string, rows: number) {
  const [count, width] = rows < 0 ? [-rows, 2] : [rows, 1];
  const inputs = [
    int32('INPUT0', [count, width], new Array<number>(count * width).fill(1)),
    int32('DELAY_MS', [count, 1], new Array<number>(count).fill(0)),
  ];
  return shoal.client.infer(inferRequest(model, inputs));
}

/** Executions by batch size. */
async function batches(name: string): Promise<Record<string, number>> {
  const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name });
  return Object.fromEntries(stats[0]!.batch_stats.map((one) => [one.batch_size, one.compute_infer!.count]));
}

test.each(Object.entries(scenarios))('%s', async (name, scenario) => {
  const held = new Set<number>(scenario.held);
  const answered: number[] = [];
  const sent = scenario.offers.map(async (rows, i) => {
    await request(name, rows);
    answered.push(i);
  });
  const free = 'together' in scenario ? [] : sent.filter((_, i) => !held.has(i));
  await Promise.all(free);
  // Whoever is held back would wait for a minute and more.
  expect(answered.filter((i) => held.has(i) && !('together' in scenario))).toEqual([]);
  if (scenario.company !== 0) await request(name, scenario.company);
  await Promise.all(sent);
  const total = Object.values(scenario.batches).reduce((sum, count) => sum + count, 0);
  await eventually('all batches are counted', async () => {
    const counts = Object.values(await batches(name));
    return counts.reduce((sum, count) => sum + count, 0) >= total;
  });
  expect(await batches(name)).toEqual(scenario.batches);
});
