import * as fc from 'fast-check';
import {
  type BucketCurve,
  LatencyTable,
  type OfferFacts,
  type QueuePolicy,
  type RateLimits,
  type RunnerPlace,
  type SchedulerActions,
  type TimeoutPolicy,
  queuePolicy,
} from '../src';
import type { Ticket } from '../src';
import { Invariants } from './invariants';
import { type Fate, type Run, World, plainFacts } from './world';

/** One thing that happens to a scheduler. Numbers that pick something are taken modulo what there is. */
export type Step =
  | { readonly kind: 'offer'; readonly queue: number; readonly facts: Partial<Parameters<World['offer']>[1] & object> }
  | { readonly kind: 'cancel'; readonly pick: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'add'; readonly queue: number; readonly credits: number }
  | { readonly kind: 'lose' | 'retire'; readonly pick: number }
  | { readonly kind: 'close'; readonly queue: number; readonly expel: boolean };

/** A whole story: queues, what happens to them, and how runs end, in turn. */
export interface History {
  readonly policies: readonly QueuePolicy[];
  readonly steps: readonly Step[];
  readonly runs: readonly Run[];
  /** What is known of each queue from before. */
  readonly curve: BucketCurve | undefined;
  /** How runners share two devices; undefined: they do not. */
  readonly limits: RateLimits | undefined;
}

const timeout: fc.Arbitrary<TimeoutPolicy> = fc.record({
  action: fc.constantFrom('reject', 'delay'),
  timeoutMs: fc.constantFrom(0, 0, 20, 60),
  allowOverride: fc.boolean(),
  maxQueueSize: fc.constantFrom(0, 0, 3, 8),
});

/** Policies of all kinds. */
export const somePolicy: fc.Arbitrary<QueuePolicy> = fc
  .record({
    maxBatchSize: fc.integer({ min: 4, max: 12 }),
    dynamic: fc.constantFrom(true, true, true, false),
    preferred: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
    maxDelayMs: fc.constantFrom(0, 0, 7.5, 40),
    preserveOrdering: fc.constantFrom(false, false, false, true),
    priorityLevels: fc.constantFrom(1, 1, 3),
    defaultTimeout: timeout,
    levelTimeouts: fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), timeout), { maxLength: 1 }),
    bound: fc.constantFrom(5, 1000),
    batchEfficiency: fc.constantFrom(1, 1, 0.9),
    planDeadlines: fc.boolean(),
    deferred: fc.constantFrom(false, false, true),
  })
  .map(({ preferred, levelTimeouts, bound, ...rest }) =>
    queuePolicy({
      ...rest,
      preferredSizes: preferred,
      levelTimeouts: new Map(levelTimeouts),
      bounds: { requests: bound, rows: 1e6, bytes: 1e9 },
    }),
  );

const pick = fc.nat({ max: 1000 });
const queue = fc.nat({ max: 2 });

/** What requests say of themselves. */
export const someFacts: fc.Arbitrary<Partial<OfferFacts>> = fc.record({
  rows: fc.constantFrom(1, 1, 1, 2, 4),
  shapeKey: fc.constantFrom('', '', '', '3'),
  timeoutMs: fc.constantFrom(0, 0, 0, 5, 30, 200.5, -1),
  ageMs: fc.constantFrom(0, 0, 0, 0, 25),
  priority: fc.constantFrom(0, 0, 1, 2, 3, 9),
  queueTimeoutUs: fc.constantFrom(0, 0, 3000, 90_000),
  solo: fc.constantFrom(false, false, false, false, false, false, true),
  background: fc.constantFrom(false, false, true),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      kind: fc.constant('offer' as const),
      queue,
      facts: someFacts,
    }),
  },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(0.25, 1, 5, 17, 60) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      queue,
      credits: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant(16)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('lose' as const, 'retire' as const), pick }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('close' as const), queue, expel: fc.constantFrom(false, false, true) }),
  },
);

/** How batches end. */
export const someRun: fc.Arbitrary<Run> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ ms: fc.constantFrom(1, 5, 20, 80) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      ms: fc.constantFrom(1, 30),
      result: fc.record({
        outcome: fc.constantFrom('ok' as const, 'ok' as const, 'failed' as const, 'refused' as const),
        code: fc.constant('INTERNAL' as const),
        message: fc.constant('no'),
        absent: fc.uniqueArray(fc.nat({ max: 5 }), { maxLength: 2 }),
        memberErrors: fc.array(
          fc.record({
            member: fc.nat({ max: 5 }),
            code: fc.constant('INTERNAL' as const),
            message: fc.constant('bad'),
          }),
          { maxLength: 1 },
        ),
      }),
    }),
  },
);

/** Of the shape that all offers have, right or wrong. */
const curve: fc.Arbitrary<BucketCurve | undefined> = fc.option(
  fc.record({
    bucket: fc.constant(LatencyTable.bucket(plainFacts.bytes, 1)),
    alphaMs: fc.constantFrom(0, 1, 10),
    betaMs: fc.constantFrom(0, 0.5, 10),
    high: fc.constantFrom(1, 1.5),
    samples: fc.constant(100),
  }),
  { nil: undefined },
);

/** Histories of one to three queues. */
export const histories: fc.Arbitrary<History> = fc.record({
  policies: fc.array(somePolicy, { minLength: 1, maxLength: 3 }),
  steps: fc.array(step, { minLength: 1, maxLength: 150, size: 'max' }),
  runs: fc.array(someRun, { minLength: 1, maxLength: 12 }),
  curve,
  limits: fc.option(
    fc.record({
      turn: fc.constantFrom('executions' as const, 'time' as const),
      available: fc.constant(() => 2),
      perDevice: fc.constantFrom(0, 1),
    }),
    { nil: undefined, freq: 1 },
  ),
});

/** Where the nth runner is, and what it needs. */
function placeOf(nth: number): RunnerPlace {
  const needs = nth % 3 === 0 ? [] : [{ name: 'R', count: 1 + (nth % 2), global: nth % 5 === 0 }];
  return { device: `d${nth % 2}`, needs, priority: 1 + (nth % 2) };
}

/**
 * Lives through a history under the eyes of the invariants, then lets everything end.
 * @param spoil Stands between the scheduler and its observer: to see that faults are found.
 * @throws Violation
 */
export function live(
  { policies, steps, runs, curve: known, limits }: History,
  spoil: (actions: SchedulerActions<Fate>) => SchedulerActions<Fate> = (actions) => actions,
): World {
  const invariants: Invariants = new Invariants(() => world);
  const world: World = new World((actions) => spoil(invariants.watch(actions)), limits);
  const { scheduler } = world;
  let turn = 0;
  world.run = () => runs[(turn += 1) % runs.length] as Run;
  world.witness.offering = (...args) => invariants.offering(...args);
  world.witness.ending = (...args) => invariants.ending(...args);
  world.witness.settledDown = () => invariants.afterEvent();
  const keys = policies.map((_, i) => `m${i}/1@a`);
  const open = () => keys.filter((key) => scheduler.queue(key) !== undefined);
  const tickets: Ticket<Fate>[] = [];
  const runners: string[] = [];
  for (const [i, key] of keys.entries()) {
    scheduler.addQueue(key, policies[i] as QueuePolicy, known ? [known] : []);
    invariants.addQueue(key, policies[i] as QueuePolicy);
  }

  const add = (key: string, credits: number) => {
    const id = `r${runners.length}`;
    runners.push(id);
    const place = limits && placeOf(runners.length);
    invariants.addRunner(id, key, credits, place);
    scheduler.addRunner(world.now, id, key, credits, place);
  };
  const close = (key: string, expel: boolean) => {
    invariants.retireQueue(key, expel);
    if (expel) scheduler.expelQueue(world.now, key, 'gone');
    else scheduler.retireQueue(world.now, key, 'gone');
  };
  const act = (each: Step) => {
    const queues = open();
    const key = 'queue' in each ? queues[each.queue % queues.length] : undefined;
    if (each.kind === 'wait') world.until(world.now + each.ms);
    else if (each.kind === 'offer' && key) tickets.push(world.offer(`t${tickets.length}`, each.facts, key));
    else if (each.kind === 'add' && key) add(key, each.credits);
    else if (each.kind === 'close' && key) close(key, each.expel);
    else if (each.kind === 'cancel' && tickets.length > 0) {
      const ticket = tickets[each.pick % tickets.length] as Ticket<Fate>;
      invariants.cancelling(ticket.tag);
      scheduler.cancel(world.now, ticket);
    } else if (each.kind === 'lose' && runners.length > 0) {
      const id = runners[each.pick % runners.length] as string;
      invariants.losing(id);
      scheduler.runnerLost(world.now, id);
    } else if (each.kind === 'retire' && runners.length > 0) {
      const id = runners[each.pick % runners.length] as string;
      invariants.retireRunner(id);
      scheduler.retireRunner(id);
    }
  };

  for (const each of steps) {
    act(each);
    invariants.afterEvent();
  }
  for (const key of open()) close(key, false);
  // Runners may retire for refusing too much: a fresh one each time, and an honest one in the end.
  for (let round = 0; open().length > 0 && round < 40; round += 1) {
    if (round === 20) world.run = () => ({ ms: 1 });
    for (const key of open()) add(key, 1);
    world.until(world.now + 1000);
    invariants.afterEvent();
  }
  world.until(Infinity);
  invariants.atEnd();
  return world;
}
