import * as fc from 'fast-check';
import { systemRandom } from '@shoal/core';
import { someFacts, somePolicy, someRun } from '../test/history';
import { Reference } from '../test/reference';
import { type Run, World, okResult, onlyQueue, plainFacts } from '../test/world';
import type { OfferFacts, QueuePolicy, Ticket } from '.';
import type { Fate } from '../test/world';

const histories = 10_000;

/** What a command knows beforehand: how many there are to pick from. */
interface Counts {
  offers: number;
  runners: number;
}

class Difference extends Error {}

/** The scheduler in its world, and the reference, told the same. */
class Both {
  readonly world: World;
  readonly reference: Reference;
  readonly tickets: Ticket<Fate>[] = [];
  readonly #batches: string[] = [];
  readonly #ends: string[] = [];

  constructor(policy: QueuePolicy, itsPolicy: QueuePolicy, runList: readonly Run[]) {
    this.reference = new Reference(policy);
    this.world = new World((actions) => ({
      ...actions,
      dispatch: (batch) => {
        const names = batch.members.map(({ tag }) => tag.name).join(' ');
        this.#batches.push(`${this.world.now} ${batch.runner.id}: ${names}`);
        actions.dispatch(batch);
      },
      settle: (ticket, settlement, rejection) => {
        this.#ends.push(`${this.world.now} ${ticket.tag.name} ${rejection?.reason ?? settlement}`);
        actions.settle(ticket, settlement, rejection);
      },
    }));
    let turn = 0;
    this.world.run = () => runList[(turn += 1) % runList.length] as Run;
    this.world.witness.ending = ({ runner }, result) =>
      this.reference.batchDone(this.world.now, runner.id, { ...okResult, ...result });
    this.world.scheduler.addQueue(onlyQueue, itsPolicy);
  }

  /** @throws where they differ. */
  compare(): void {
    this.reference.advance(this.world.now);
    // Within a moment the order of ends means nothing.
    const told = (batches: readonly string[], ends: readonly string[]) => [...batches, ...ends.toSorted()].join('\n');
    const [found, expected] = [told(this.#batches, this.#ends), told(this.reference.batches, this.reference.ends)];
    if (found !== expected) throw new Difference(`the scheduler:\n${found}\n\nthe reference:\n${expected}`);
  }

  get batchCount(): number {
    return this.#batches.length;
  }
}

type Step = fc.Command<Counts, Both>;

/** A command from what it does. */
function command(name: string, able: (counts: Counts) => boolean, run: (counts: Counts, both: Both) => void): Step {
  return { check: able, run, toString: () => name };
}

function offer(given: Partial<OfferFacts>): Step {
  return command(
    `offer ${JSON.stringify(given)}`,
    () => true,
    (counts, both) => {
      const name = `t${counts.offers}`;
      counts.offers += 1;
      both.tickets.push(both.world.offer(name, given));
      both.reference.offer(both.world.now, name, { ...plainFacts, ...given });
    },
  );
}

function wait(ms: number): Step {
  return command(
    `wait ${ms}`,
    () => true,
    (_, both) => {
      both.world.until(both.world.now + ms);
      both.reference.advance(both.world.now);
    },
  );
}

function cancel(pick: number): Step {
  return command(
    `cancel ${pick}`,
    ({ offers }) => offers > 0,
    ({ offers }, { world, reference, tickets }) => {
      world.scheduler.cancel(world.now, tickets[pick % offers] as Ticket<Fate>);
      reference.cancel(world.now, `t${pick % offers}`);
    },
  );
}

const addRunner = command(
  'addRunner',
  () => true,
  (counts, { world, reference }) => {
    const id = `r${counts.runners}`;
    counts.runners += 1;
    world.scheduler.addRunner(world.now, id, onlyQueue, 1);
    reference.addRunner(world.now, id);
  },
);

function endRunner(how: 'lose' | 'retire', pick: number): Step {
  return command(
    `${how} ${pick}`,
    ({ runners }) => runners > 0,
    ({ runners }, { world, reference }) => {
      const id = `r${pick % runners}`;
      if (how === 'lose') world.scheduler.runnerLost(world.now, id);
      else world.scheduler.retireRunner(id);
      if (how === 'lose') reference.loseRunner(world.now, id);
      else reference.retireRunner(id);
    },
  );
}

const pick = fc.nat({ max: 1000 });
const steps = fc.commands<Counts, Both>(
  [
    ...new Array<fc.Arbitrary<Step>>(8).fill(someFacts.map((given) => offer({ ...given, background: false }))),
    ...new Array<fc.Arbitrary<Step>>(3).fill(fc.constantFrom(0.25, 1, 5, 17, 60).map(wait)),
    pick.map(cancel),
    fc.constant(addRunner),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant(addRunner) },
      { weight: 1, arbitrary: pick.map((one) => endRunner('lose', one)) },
      { weight: 1, arbitrary: pick.map((one) => endRunner('retire', one)) },
    ),
  ],
  { maxCommands: 30, size: 'max' },
);

/** Nothing that is learnt has a part in it. */
const unlearned = somePolicy.map((policy) => ({
  ...policy,
  batchEfficiency: 1,
  planDeadlines: false,
  deferred: false,
}));
const stories = fc.tuple(unlearned, fc.array(someRun, { minLength: 1, maxLength: 8 }), steps);

type Change = (policy: QueuePolicy) => QueuePolicy;

/** @param change What the scheduler is told of its queue, other than the reference. @throws Difference */
function live(
  [policy, runList, commands]: [QueuePolicy, Run[], Iterable<Step>],
  change: Change = (same) => same,
): number {
  const both = new Both(policy, change(policy), runList);
  fc.modelRun(() => ({ model: { offers: 0, runners: 0 }, real: both }), commands);
  both.world.until(both.world.now + 200);
  both.compare();
  return both.batchCount;
}

test(`in ${histories} histories the scheduler makes the very batches, at the very times, that the reference makes`, () => {
  const seed = Math.floor(systemRandom.next() * 2 ** 31);
  process.stdout.write(`scheduler against its reference: seed ${seed}\n`);
  let batches = 0;
  fc.assert(
    fc.property(stories, (story) => void (batches += live(story))),
    { numRuns: histories, seed },
  );
  expect(batches).toBeGreaterThan(2 * histories);
});

/** A scheduler that would do a little otherwise, each of which the reference must notice. */
const changes: Readonly<Record<string, Change>> = {
  'waits for a moment longer': (policy) => ({ ...policy, maxDelayMs: policy.maxDelayMs && policy.maxDelayMs + 0.25 }),
  'knows no preferred sizes': (policy) => ({ ...policy, preferredSizes: [policy.maxBatchSize] }),
  'makes larger batches': (policy) => ({ ...policy, maxBatchSize: policy.maxBatchSize + 1 }),
  'makes smaller batches': (policy) => ({
    ...policy,
    maxBatchSize: policy.maxBatchSize - 1,
    preferredSizes: policy.preferredSizes.map((size) => Math.min(size, policy.maxBatchSize - 1)),
  }),
  'knows no priorities': (policy) => ({ ...policy, priorityLevels: 1 }),
  'goes by arrival alone': (policy) => ({ ...policy, preserveOrdering: true }),
  'goes by deadlines though it should not': (policy) => ({ ...policy, preserveOrdering: false }),
  'runs one request at a time': (policy) => ({ ...policy, dynamic: false }),
  'lets one more wait': (policy) => ({ ...policy, bounds: { ...policy.bounds, requests: policy.bounds.requests + 1 } }),
  'has more patience': (policy) => ({
    ...policy,
    defaultTimeout: { ...policy.defaultTimeout, timeoutMs: policy.defaultTimeout.timeoutMs * 1.01 },
  }),
  'delays what it should reject': (policy) => ({
    ...policy,
    defaultTimeout: { ...policy.defaultTimeout, action: 'delay' },
  }),
  'forgets what levels have of their own': (policy) => ({ ...policy, levelTimeouts: new Map() }),
};

test.each(Object.entries(changes))('a scheduler that %s is found out', (_, change) => {
  const details = fc.check(
    fc.property(stories, (story) => void live(story, change)),
    { numRuns: 3000, endOnFailure: true },
  );
  expect(details.errorInstance).toBeInstanceOf(Difference);
});
