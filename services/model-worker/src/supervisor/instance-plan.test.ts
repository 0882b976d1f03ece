import { emptyModelConfig } from '@shoal/repository';
import { planInstances, planSession } from './instance-plan';

const config = (groups: object[] = []) => ({ ...emptyModelConfig(), name: 'm', instance_group: groups as never });
const group = (more: object) => ({ name: '', count: 1, kind: 'KIND_AUTO', gpus: [], ...more });

test('no group: one instance, on the CPU where there is no GPU, else one on each', () => {
  expect(planInstances(config(), [])).toEqual([{ name: 'm_0_0', kind: 'KIND_CPU', device: 0 }]);
  expect(planInstances(config(), [0, 1]).map(({ kind, device }) => [kind, device])).toEqual([
    ['KIND_GPU', 0],
    ['KIND_GPU', 1],
  ]);
});

test('count instances of each group, that many on each of its GPUs', () => {
  const plan = planInstances(
    config([group({ kind: 'KIND_CPU', count: 2 }), group({ kind: 'KIND_GPU', count: 2, gpus: [1, 3] })]),
    [0, 1, 2, 3],
  );
  expect(plan.map(({ kind, device }) => `${kind} ${device}`)).toEqual([
    'KIND_CPU 0',
    'KIND_CPU 0',
    'KIND_GPU 1',
    'KIND_GPU 3',
    'KIND_GPU 1',
    'KIND_GPU 3',
  ]);
});

test('sessions do not spin unless told to, and instances share the cores', () => {
  const [one] = planInstances(config(), []);
  if (!one) throw new Error('no plan');
  const { load } = planSession(config(), one, 1000, '/f');
  expect(load.candidates).toEqual([{ name: 'cpu' }]);
  expect(load.sessionOptions.intraOpNumThreads).toBe(1);
  expect(load.sessionOptions.extra?.session['intra_op.allow_spinning']).toBe('0');
  const spinning = { ...config(), parameters: { 'session.intra_op.allow_spinning': { string_value: '1' } } };
  const spun = planSession(spinning, one, 1, '/f').load.sessionOptions;
  expect(spun.extra?.session['intra_op.allow_spinning']).toBe('1');
  expect(spun.intraOpNumThreads).toBeUndefined();
});

test('a simulated device takes its time on the thread, and is told of', () => {
  const [one] = planInstances(config(), []);
  if (!one) throw new Error('no plan');
  const withDevice = (value: string) => ({
    ...config(),
    parameters: { simulated_device_us: { string_value: value }, execution_thread: { string_value: 'inline' } },
  });
  expect(planSession(config(), one, 1, '/f').load.simulatedDeviceMs).toBe(0);
  const { load, warnings } = planSession(withDevice('2500'), one, 1, '/f');
  expect(load).toMatchObject({ execution: 'thread', simulatedDeviceMs: 2.5 });
  expect(warnings.join()).toContain('2.5 ms for a simulated device');
  expect(planSession(withDevice('0'), one, 1, '/f')).toMatchObject({ load: { execution: 'inline' } });
  for (const wrong of ['', '-1', '0.5', '60000001', 'x']) {
    expect(() => planSession(withDevice(wrong), one, 1, '/f')).toThrow("parameter 'simulated_device_us' must be");
  }
});

test('where runs are made is measured, unless the config says it', () => {
  const [one] = planInstances(config(), []);
  if (!one) throw new Error('no plan');
  const withParameter = (value: string) => ({
    ...config(),
    parameters: { execution_thread: { string_value: value } },
  });
  expect(planSession(config(), one, 1, '/f').load.execution).toBe('auto');
  expect(planSession(withParameter('inline'), one, 1, '/f').load.execution).toBe('inline');
  expect(planSession(withParameter('thread'), one, 1, '/f').load.execution).toBe('thread');
  expect(() => planSession(withParameter('main'), one, 1, '/f')).toThrow(
    "parameter 'execution_thread' must be auto, inline or thread, got 'main'",
  );
});
