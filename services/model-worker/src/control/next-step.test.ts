import type { Desire, ModelReport } from '@shoal/bus';
import type { ModelPlan } from '@shoal/placement';
import { type Situation, nextStep } from './next-step';

const desire: Desire = { request: 'r2', wanted: true, since: 0, at: 0, by: 'ann', via: 'router' };

function report(worker: string, applied = 'r2', state: ModelReport['state'] = 'READY'): ModelReport {
  return { worker, model: 'm', seen: 'r2', own: false, memoryBytes: 0, gpu: false, applied, state };
}

/** What worker `b` does next. */
function step({ plan, ...change }: Partial<Omit<Situation, 'plan'>> & { plan?: Partial<ModelPlan> } = {}): string {
  return nextStep({
    me: 'b',
    plan: { desire, wanted: true, decided: true, chosen: ['b'], ...plan },
    own: report('b', 'r1', 'ABSENT'),
    said: undefined,
    serving: false,
    servingRequest: undefined,
    ...change,
  });
}

const saying = (...all: ModelReport[]) => new Map(all.map((one) => [one.worker, one]));

test('a new asking: look, wait for all, then load', () => {
  expect(step({ own: undefined })).toBe('look');
  expect(step({ own: { ...report('b'), seen: 'r1' } })).toBe('look');
  expect(step({ plan: { decided: false } })).toBe('nothing');
  expect(step()).toBe('load');
});

test('what is done is done, and what failed is not tried again by itself', () => {
  expect(step({ own: report('b'), serving: true, servingRequest: 'r2' })).toBe('nothing');
  expect(step({ own: report('b', 'r2', 'FAILED') })).toBe('nothing');
  expect(step({ own: report('b', 'r1', 'FAILED') })).toBe('load');
});

test('an asking that comes back is not loaded again', () => {
  expect(step({ own: report('b', 'r3', 'FAILED'), serving: true, servingRequest: 'r2' })).toBe('ready');
});

test('who is no longer chosen keeps its copy until all that are chosen serve theirs', () => {
  const serving = { own: report('b'), serving: true, servingRequest: 'r2', plan: { chosen: ['a', 'c'] } };
  expect(step({ ...serving, said: saying(report('a')) })).toBe('nothing');
  expect(step({ ...serving, said: saying(report('a'), report('c', 'r2', 'LOADING')) })).toBe('nothing');
  expect(step({ ...serving, said: saying(report('a'), report('c', 'r1')) })).toBe('nothing');
  expect(step({ ...serving, said: saying(report('a'), report('c')) })).toBe('unload');
  expect(step({ ...serving, plan: { chosen: [] } })).toBe('nothing');
});

test('one after the other, by id', () => {
  const plan = { desire: { ...desire, rolling: true }, chosen: ['c', 'b', 'a'] };
  const own = report('b', 'r1');
  expect(step({ plan, own, serving: true, servingRequest: 'r1', said: saying(report('a', 'r1')) })).toBe('nothing');
  expect(step({ plan, own, serving: true, servingRequest: 'r1', said: saying(report('a', 'r2', 'FAILED')) })).toBe(
    'nothing',
  );
  expect(step({ plan, own, serving: true, servingRequest: 'r1', said: saying(report('a')) })).toBe('load');
});

test('an unload, and an asking that came to nothing', () => {
  const unwanted = { wanted: false, chosen: [], desire: { ...desire, wanted: false } };
  expect(step({ plan: unwanted, own: report('b', 'r1'), serving: true })).toBe('unload');
  expect(step({ plan: unwanted, own: report('b', 'r2', 'ABSENT') })).toBe('nothing');
  const gone = { wanted: false, chosen: [], desire: undefined };
  expect(step({ plan: gone, own: report('b', 'r2', 'FAILED') })).toBe('forget');
  expect(step({ plan: gone, own: { ...report('b', '', 'ABSENT'), seen: '' } })).toBe('nothing');
});
