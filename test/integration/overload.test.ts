import type { ServiceError } from '@grpc/grpc-js';
import { type Shoal, startShoal } from '../support/shoal';
import { inferRequest, int32 } from '../support/tensors';

let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({
    models: {
      alone: {
        from: 'golden-models',
        fixture: 'batcher_delay',
        edit: (config) => config.replace(/dynamic_batching \{.*\}/, ''),
      },
    },
    args: ['--max-queue-wait-secs=0.2'],
  });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

/** Runs for some milliseconds, alone. */
function infer() {
  return shoal.client.infer(inferRequest('alone', [int32('INPUT0', [1, 1], [1]), int32('DELAY_MS', [1, 1], [10])]));
}

test('while more comes than can be done, some are refused and told when to try again; nobody is forgotten', async () => {
  const refusals: ServiceError[] = [];
  let answers = 0;
  const client = async () => {
    for (let i = 0; i < 400 && refusals.length < 20; i += 1) {
      try {
        await infer();
        answers += 1;
      } catch (thrown) {
        refusals.push(thrown as ServiceError);
      }
    }
  };
  await Promise.all(Array.from({ length: 200 }, client));
  expect(refusals.length).toBeGreaterThanOrEqual(20);
  expect(answers).toBeGreaterThan(0);
  for (const { code, details, metadata } of refusals) {
    expect([code, details]).toEqual([8, expect.stringMatching(/^the model is overloaded: /)]);
    expect(Number(metadata.get('grpc-retry-pushback-ms')[0])).toBeGreaterThan(0);
  }
  expect((await infer()).outputs).toHaveLength(1);
}, 40_000);
