import { killRunners } from '../support/kill-runners';
import { Load } from '../support/load';
import { type Shoal, startShoal } from '../support/shoal';
import { slowInputs } from '../support/slow';
import type { ModelInferResponse } from '../support/stock-client';
import { float32Output, inferRequest } from '../support/tensors';

/** Some milliseconds of work, so that a kill nearly always falls into a batch. */
const rounds = 1500;
const seeds = 16;

let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({ models: { slow_loop: { append: 'dynamic_batching { }' } } });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

const ask = (seed: number): Promise<ModelInferResponse> =>
  shoal.client.infer(inferRequest('slow_loop', slowInputs(rounds, seed)));

test('a runner killed with -9 in mid-batch, again and again, costs no client an error', async () => {
  const reference: number[][] = [];
  for (let seed = 0; seed < seeds; seed += 1) reference.push(float32Output(await ask(seed), 'Y'));

  const load = new Load(24, async (index) => {
    const answer = float32Output(await ask(index % seeds), 'Y');
    return answer.every((value, i) => Math.abs(value - reference[index % seeds]![i]!) < 1e-5);
  });
  const killed = await killRunners(shoal, load, 7);
  await load.stop();

  expect(load.failures).toEqual([]);
  expect(load.wrong).toEqual([]);
  expect(new Set(killed).size).toBe(3);
  expect(shoal.runners()).toHaveLength(1);
  expect(killed).not.toContain(shoal.runners()[0]);
}, 60_000);

test('killed while idle: the model is started again and serves', async () => {
  const [runner] = shoal.runners();
  process.kill(runner!, 'SIGKILL');
  const answer = float32Output(await ask(3), 'Y');
  expect(answer).toHaveLength(64);
  expect(shoal.runners()).not.toContain(runner);
}, 30_000);
