import { FakeClock } from '@shoal/testing';
import { VersionEntry } from '../catalog/version-entry';
import type { InferPlan } from '../requests/infer-plan';
import { RequestTable } from '../requests/request-table';
import { splitConfig } from '../testing/version-rig';
import { newCounters } from './counters';
import { ShadowBounds } from './shadow-bounds';
import { ShadowPair } from './shadow-pair';

test('a copy that cannot even be submitted has failed, and its request is answered', () => {
  const clock = new FakeClock();
  const table = new RequestTable(clock, {
    owner: () => {
      throw new Error('a fault');
    },
    batching: () => undefined,
    runner: () => undefined,
  });
  const version = new VersionEntry({
    model: 'split',
    version: 2,
    generation: 'g1',
    state: 'READY',
    reason: '',
    config: splitConfig,
  });
  const plan: InferPlan = {
    version,
    regions: undefined,
    request: {
      requestId: '',
      rows: 1,
      shapeKey: '',
      inputs: [],
      outputs: [],
      sharedMemoryOutputs: false,
      bytes: 0,
      priority: 0,
      queueTimeoutUs: 0,
      sequence: { id: 0, start: false, end: false },
      emptyFinal: false,
      background: false,
      why: false,
      parameters: new Map(),
    },
  };
  const bounds = new ShadowBounds({ requests: 1, bytes: 100 });
  expect(bounds.enter(10)).toBe(true);
  const counters = newCounters().shadow;
  const answers: Buffer[] = [];
  const listener = {
    answered: (response: Buffer) => void answers.push(response),
    failed: () => undefined,
    allocate: (length: number) => Buffer.alloc(length),
  };
  const tolerance = { absolute: 0, relative: 0 };
  const pair = new ShadowPair(listener, {
    table,
    clock,
    bounds,
    counters,
    tolerance,
    plan,
    replan: () => plan,
    bytes: 10,
  });
  pair.launch();
  const answer = Buffer.from('an answer');
  pair.answered(answer, true);
  expect(answers).toEqual([answer]);
  expect(counters).toMatchObject({ sent: 1, failed: 1, compared: 0, abandoned: 0 });
  expect([bounds.requests, bounds.bytes, table.size, clock.pending]).toEqual([0, 0, 0, 0]);
});
