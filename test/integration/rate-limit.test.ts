import { type Shoal, startShoal } from '../support/shoal';
import { inferRequest, int32 } from '../support/tensors';
import { sleep } from '../support/waiting';

/** Runs each request alone, on an instance that needs the one R there is. */
const limited = (priority: number) => ({
  from: 'golden-models' as const,
  fixture: 'batcher_delay',
  edit: (config: string) =>
    `${config.replace(/dynamic_batching \{.*\}/, '')}
    instance_group [ { count: 2 kind: KIND_CPU rate_limiter { resources [ { name: "R" count: 1 } ] priority: ${priority} } } ]`,
});

let shoal: Shoal;

beforeAll(async () => {
  const models = { first: limited(1), second: limited(2) };
  shoal = await startShoal({ models, args: ['--rate-limit=execution_count'] });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

function infer(model: string, ms = 0) {
  return shoal.client.infer(inferRequest(model, [int32('INPUT0', [1, 1], [1]), int32('DELAY_MS', [1, 1], [ms])]));
}

test('models that share a resource take turns by their priority', async () => {
  const order: string[] = [];
  const blocker = infer('first', 300);
  await sleep(100);
  const all = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 'first' : 'second')).map(async (model) => {
    await infer(model);
    order.push(model);
  });
  await Promise.all([blocker, ...all]);
  // Twice as often, until there is no more of the first.
  const turns = order.slice(0, 36).filter((model) => model === 'first').length;
  expect(turns).toBeGreaterThanOrEqual(22);
  expect(turns).toBeLessThanOrEqual(26);
}, 20_000);
