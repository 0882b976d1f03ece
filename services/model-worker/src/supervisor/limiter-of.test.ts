import { parseModelConfig } from '@shoal/repository';
import { planInstances } from './instance-plan';
import { limiterOf } from './limiter-of';

test('each instance has what its group says, whatever the groups are called', () => {
  const config = parseModelConfig(
    `name: "m"
    instance_group [
      { name: "a" count: 1 kind: KIND_GPU gpus: [ 0, 1 ] rate_limiter { resources [ { name: "R" count: 4 }, { name: "S" global: true count: 2 } ] priority: 3 } },
      { name: "a_1" count: 2 kind: KIND_CPU rate_limiter { } },
      { count: 1 kind: KIND_CPU }
    ]`,
    'm',
  );
  const told = planInstances(config, [0, 1]).map(({ name }) => [name, limiterOf(config, name)]);
  const a = {
    resources: [
      { name: 'R', count: 4, global: false },
      { name: 'S', count: 2, global: true },
    ],
    priority: 3,
  };
  const bare = { resources: [], priority: 1 };
  expect(told).toEqual([
    ['a_0_gpu0', a],
    ['a_0_gpu1', a],
    ['a_1_0', bare],
    ['a_1_1', bare],
    ['m_2_0', undefined],
  ]);
});
