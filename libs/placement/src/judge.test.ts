import type { Desire, ModelReport, WorkerAnnouncement } from '@shoal/bus';
import { judge } from './judge';
import { planModels } from './plan';
import { desire, report, worker } from './testing/announced';

function verdict(workers: readonly WorkerAnnouncement[], asked: Desire | undefined, said: readonly ModelReport[]) {
  const announced = {
    workers: new Map(workers.map((one) => [one.id, one])),
    desires: new Map(asked ? [['m', asked]] : []),
    reports: new Map([['m', new Map(said.map((one) => [one.worker, one]))]]),
  };
  return judge(announced, 'm', planModels(announced).get('m')!);
}

const two = [worker('a'), worker('b')];
const seen = { seen: 'r1' };
const ready = { ...seen, applied: 'r1', state: 'READY' } as const;

test('a load is done when all that are chosen serve it for this asking', () => {
  expect(verdict(two, desire(), [report('a', ready), report('b', ready)])).toBe('done');
  for (const other of [seen, { ...ready, state: 'LOADING' as const }, { ...ready, applied: 'r0' }]) {
    expect(verdict(two, desire(), [report('a', ready), report('b', other)])).toBe('waiting');
  }
});

test('a load waits for the word of every worker that stays', () => {
  expect(verdict(two, desire({ replicas: 1 }), [report('a', ready)])).toBe('waiting');
  expect(verdict([worker('a'), worker('b', { leaving: true })], desire(), [report('a', ready)])).toBe('done');
  // One that died while it loaded is waited for no more.
  expect(verdict([worker('a')], desire(), [report('a', ready), report('b', { ...ready, state: 'LOADING' })])).toBe(
    'done',
  );
});

test('one failure, or too few workers, is the answer', () => {
  const failed = { ...ready, state: 'FAILED', failure: { code: 'INVALID_ARGUMENT', message: 'broken' } } as const;
  expect(verdict(two, desire(), [report('a', seen), report('b', failed)])).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: 'broken',
  });
  expect(verdict(two, desire({ replicas: 3 }), [report('a', ready), report('b', ready)])).toMatchObject({
    message: "'m' cannot be placed on 3 workers: 2 can take it, no more are there",
  });
  expect(
    verdict(two, desire(), [
      report('a', { ...failed, failure: { code: 'nonsense', message: 'x' } }),
      report('b', seen),
    ]),
  ).toMatchObject({ code: 'INTERNAL' });
});

test('an unload is done when nobody that lives has anything of it left', () => {
  const gone = { applied: 'r1', state: 'ABSENT' } as const;
  const away = desire({ wanted: false });
  expect(verdict(two, away, [report('a', gone), report('b', gone)])).toBe('done');
  expect(verdict(two, away, [report('a', gone), report('b', { ...gone, applied: 'r0' })])).toBe('waiting');
  expect(verdict(two, away, [report('a', gone), report('b', { ...gone, state: 'READY' })])).toBe('waiting');
  expect(verdict([worker('a')], away, [report('a', gone), report('b', ready)])).toBe('done');
});

test('whose report came first does not matter where configs want different numbers of workers', () => {
  const said = [report('a', { own: true, replicas: 2 }), report('b', { own: true, replicas: 1 })];
  const chosen = [said, said.toReversed()].map((reports) => {
    const announced = {
      workers: new Map(two.map((one) => [one.id, one])),
      desires: new Map<string, Desire>(),
      reports: new Map([['m', new Map(reports.map((one) => [one.worker, one]))]]),
    };
    return planModels(announced).get('m')?.chosen;
  });
  expect(chosen[0]).toHaveLength(2);
  expect(chosen[1]).toEqual(chosen[0]);
});
