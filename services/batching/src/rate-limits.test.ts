import { Rig, settle } from '../test/rig';
import { compileRateLimits, placeOf } from './rate-limits';

const config = { rateLimit: 'execution_count', rateLimitResource: ['R:4', 'R:2:1', 'S:3'], deviceBatches: 5 };

test('resources are as many as is stated, on a device where that is, else everywhere', () => {
  const limits = compileRateLimits(config)!;
  const asked = [
    ['R', 'w/CUDA 0'],
    ['R', 'w/CUDA 1'],
    ['R', 'w/CPU'],
    ['S', ''],
    ['T', 'w/CPU'],
  ] as const;
  expect(asked.map(([name, device]) => limits.available(name, device))).toEqual([4, 2, 4, 3, undefined]);
});

test('modes: off means nothing, only device_time has a limit of its own', () => {
  expect(compileRateLimits({ ...config, rateLimit: 'off' })).toBeUndefined();
  expect(compileRateLimits(config)).toMatchObject({ turn: 'executions', perDevice: 0 });
  expect(compileRateLimits({ ...config, rateLimit: 'device_time' })).toMatchObject({ turn: 'time', perDevice: 5 });
});

test.each(['R', 'R:', ':1', 'R:x', 'R:1:2:3', 'R:-1'])(
  '%s is no resource, and is refused whatever the mode',
  (text) => {
    expect(() => compileRateLimits({ ...config, rateLimit: 'off', rateLimitResource: [text] })).toThrow(
      `--rate-limit-resource must be NAME:COUNT or NAME:COUNT:DEVICE, as in R1:4:0; it is '${text}'`,
    );
  },
);

test('what one worker has on a device shares it', () => {
  const announced = { id: 'r', address: '', model: 'm', version: 1, generation: 'g', device: 'CUDA 0' };
  expect(placeOf({ ...announced, worker: 'w' })).toEqual({ device: 'w/CUDA 0', needs: [], priority: 1 });
  const resources = [{ name: 'R', count: 1, global: false }];
  const limiter = { resources, priority: 2 };
  expect(placeOf({ ...announced, limiter })).toEqual({ device: '/CUDA 0', needs: resources, priority: 2 });
});

test('two models that need the same take turns, as their workers announce', async () => {
  const rig = await Rig.start({ rateLimit: 'execution_count' });
  try {
    const limiter = { resources: [{ name: 'R', count: 1, global: false }], priority: 1 };
    const queues = ['a', 'b'].map((model) => rig.announce(model, `name: "${model}"`));
    const router = await rig.router('r1');
    const runners = [
      await rig.runner('wa', queues[0]!, 2, { limiter }),
      await rig.runner('wb', queues[1]!, 2, { limiter }),
    ];
    for (const queue of queues) router.offer(queue);
    await settle();
    expect(runners.map(({ batches }) => batches.length)).toEqual([1, 0]);
    runners[0]!.done(1);
    await settle();
    expect(runners.map(({ batches }) => batches.length)).toEqual([1, 1]);
  } finally {
    await rig.end();
  }
});
