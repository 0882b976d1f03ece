import { expandInstances } from './instances';
import { parseModelConfig } from './parse-config';

test('instances of groups, counts and GPUs', () => {
  const config = parseModelConfig(
    `instance_group [ { name: "a" count: 2 kind: KIND_CPU }, { name: "b" count: 2 kind: KIND_GPU gpus: [ 0, 3 ] },
                      { name: "c" kind: KIND_GPU }, { name: "d" count: 1 kind: KIND_MODEL } ]`,
    'm',
  );
  expect(expandInstances(config)).toEqual([
    { name: 'a_0', kind: 'KIND_CPU', device: 0 },
    { name: 'a_1', kind: 'KIND_CPU', device: 0 },
    { name: 'b_0_gpu0', kind: 'KIND_GPU', device: 0 },
    { name: 'b_0_gpu3', kind: 'KIND_GPU', device: 3 },
    { name: 'b_1_gpu0', kind: 'KIND_GPU', device: 0 },
    { name: 'b_1_gpu3', kind: 'KIND_GPU', device: 3 },
    { name: 'c_0', kind: 'KIND_GPU', device: 0 },
    { name: 'd_0', kind: 'KIND_MODEL', device: 0 },
  ]);
});
