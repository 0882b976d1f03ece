import { ShoalError } from '@shoal/core';
import { FilePart, type Link, type LinkMessage, type Offer } from '@shoal/link';
import { FakeClock } from '@shoal/testing';
import * as fc from 'fast-check';
import { simplePlan } from '../testing/simple-plan';
import type { RegionUse } from '../shared-memory/regions';
import type { InferPlan } from './infer-plan';
import type { Waiter } from './pending-request';
import { RequestTable } from './request-table';

/** A link that keeps what is sent, or says of some messages that they are too large. */
function recorder(sent: LinkMessage[], refused?: LinkMessage['kind']): Link {
  return {
    peer: { kind: 'hello', role: 'batching', id: 'x' },
    bufferedBytes: 0,
    sharesMemory,
    send(message) {
      if (message.kind === refused) throw new ShoalError('RESOURCE_EXHAUSTED', 'too large a message');
      sent.push(message);
    },
    onMessage: () => undefined,
    onClose: () => undefined,
    close: () => Promise.resolve(),
  };
}

class Recorder implements Waiter {
  answers = 0;
  failure: ShoalError | undefined;
  replans = 0;

  get settled(): number {
    return this.answers + (this.failure ? 1 : 0);
  }

  done: boolean | undefined;

  answered(_response: Uint8Array, done: boolean): void {
    this.answers += 1;
    this.done = done;
  }

  allocate(length: number): Buffer {
    return Buffer.alloc(length);
  }

  failed(error: ShoalError): void {
    if (this.failure) throw new Error('failed twice');
    this.failure = error;
  }

  replan(): InferPlan {
    this.replans += 1;
    return simplePlan();
  }
}

const notReady = "Request for unknown model: 'simple' version 1 is not at ready state";

let clock: FakeClock;
let table: RequestTable;
let toBatching: LinkMessage[];
let toRunner: LinkMessage[];
let batchingUp: boolean;
let runnersUp: Set<string>;
let refused: LinkMessage['kind'] | undefined;
let sharesMemory: boolean;

function reset(): void {
  clock = new FakeClock(1_000);
  toBatching = [];
  toRunner = [];
  batchingUp = true;
  runnersUp = new Set(['r1']);
  refused = undefined;
  sharesMemory = false;
  table = new RequestTable(clock, {
    owner: () => 'b1',
    batching: () => (batchingUp ? recorder(toBatching, refused) : undefined),
    runner: (id) => (runnersUp.has(id) ? recorder(toRunner, refused) : undefined),
  });
}

beforeEach(reset);

afterEach(() => {
  // Whatever happened: nothing is left, and no timer either.
  if (table.size !== 0 || clock.pending !== 0) throw new Error(`${table.size} requests, ${clock.pending} timers left`);
});

function offers(): Offer[] {
  return toBatching.filter((message) => message.kind === 'offer');
}

function send(offerId: number, runner = 'r1', batchId = 1): void {
  table.batchingMessage({ kind: 'send', offerId, batchId, member: 0, runner });
}

function answer(offerId: number): void {
  table.runnerMessage('r1', { kind: 'answer', offerId, response: new Uint8Array(0), computeUs: 0 });
}

function lastOffer(): number {
  return offers().at(-1)?.offerId ?? 0;
}

/** Past every deadline used here, and so past the table's one timer, which it keeps when nothing is due any more. */
function runOut(): void {
  clock.advance(2e9);
}

test('a request that no message can hold fails at once, and nobody waits for its bytes', () => {
  refused = 'data';
  const waiter = new Recorder();
  table.submit(simplePlan(), waiter, Infinity);
  send(lastOffer());
  expect(waiter.failure).toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: 'too large a message' });
  expect(toBatching.at(-1)).toEqual({ kind: 'cancel', offerId: lastOffer(), reason: 'cancelled' });
  expect(toRunner).toEqual([{ kind: 'withdraw', batchId: 1, member: 0 }]);
});

test('a request that cannot be offered fails at once, and nothing of it is left', () => {
  refused = 'offer';
  const waiter = new Recorder();
  table.submit(simplePlan(), waiter, Infinity);
  expect(waiter.failure).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  expect(table.size).toBe(0);
});

test('deadlines pass at their time, whatever the state, and are told to all', () => {
  const queued = new Recorder();
  const sent = new Recorder();
  table.submit(simplePlan(), queued, 1_500);
  const first = lastOffer();
  table.submit(simplePlan(), sent, 1_400);
  send(lastOffer());
  clock.advance(399);
  expect([queued.failure, sent.failure]).toEqual([undefined, undefined]);
  clock.advance(1);
  expect(sent.failure?.code).toBe('DEADLINE_EXCEEDED');
  expect(toRunner.at(-1)).toEqual({ kind: 'withdraw', batchId: 1, member: 0 });
  clock.advance(100);
  expect(queued.failure?.code).toBe('DEADLINE_EXCEEDED');
  expect(toBatching.at(-1)).toEqual({ kind: 'cancel', offerId: first, reason: 'deadline' });
});

test('a deadline that has passed already is told at once, and never offered', () => {
  const waiter = new Recorder();
  table.submit(simplePlan(), waiter, 1_000);
  expect(waiter.failure?.code).toBe('DEADLINE_EXCEEDED');
  expect(offers()).toEqual([]);
});

test('without a batching instance a request waits, but not for ever', () => {
  batchingUp = false;
  const [early, late] = [new Recorder(), new Recorder()];
  table.submit(simplePlan(), early, Infinity);
  clock.advance(5_000);
  table.submit(simplePlan(), late, Infinity);
  clock.advance(5_000);
  expect(early.failure?.code).toBe('UNAVAILABLE');
  expect(late.failure).toBeUndefined();
  batchingUp = true;
  table.batchingOpened();
  expect(offers()).toHaveLength(1);
  expect(table.size).toBe(1);
  answer(lastOffer());
  expect(late.answers).toBe(1);
  runOut();
});

test('a runner that cannot be reached costs a moment, then the request is offered again', () => {
  const waiter = new Recorder();
  table.submit(simplePlan(), waiter, Infinity);
  send(lastOffer(), 'r9');
  clock.advance(999);
  expect(offers()).toHaveLength(1);
  clock.advance(1);
  expect(offers()).toHaveLength(2);
  expect(offers()[1]).toMatchObject({ solo: false, ageMs: 1_000 });
  send(lastOffer(), 'r9');
  runnersUp.add('r9');
  table.runnerOpened('r9');
  expect(toRunner).toMatchObject([{ kind: 'data', offerId: lastOffer() }]);
  answer(lastOffer());
  expect(waiter.answers).toBe(1);
  runOut();
});

test('a runner that is cut off from this router may be given it again and again, for ten seconds', () => {
  const waiter = new Recorder();
  table.submit(simplePlan(), waiter, Infinity);
  runnersUp.delete('r1');
  table.runnerClosed('r1');
  for (const end = clock.now() + 9_500; clock.now() < end; clock.advance(500)) send(lastOffer(), 'r1');
  expect(waiter.failure).toBeUndefined();
  for (const end = clock.now() + 1_000; clock.now() < end; clock.advance(500)) send(lastOffer(), 'r1');
  expect(waiter.failure).toMatchObject({ code: 'UNAVAILABLE', message: 'the model instance cannot be reached' });
  runOut();
});

test('what comes back again and again is given up', () => {
  const waiter = new Recorder();
  table.submit(simplePlan(), waiter, Infinity);
  for (let i = 0; i < 100 && !waiter.failure; i += 1) {
    send(lastOffer());
    table.runnerMessage('r1', { kind: 'refused', offerId: lastOffer() });
    clock.advance(500);
  }
  expect(waiter.failure).toMatchObject({
    code: 'UNAVAILABLE',
    message: 'no instance of the model accepted the request',
  });
  expect(offers()).toHaveLength(13);
});

test('a queue that batching does not know yet is tried again; one that stays unknown is told in its words', () => {
  const waiter = new Recorder();
  table.submit(simplePlan(), waiter, Infinity);
  for (let i = 0; i < 100 && !waiter.failure; i += 1) {
    table.batchingMessage({
      kind: 'reject',
      offerId: lastOffer(),
      code: 'UNAVAILABLE',
      message: notReady,
      origin: 'queue',
    });
    clock.advance(500);
  }
  expect(waiter.failure?.message).toBe(notReady);
  expect(waiter.replans).toBeGreaterThan(1);
});

test('an answer to an offer of a lost batching instance counts, and takes the new offer back', () => {
  const waiter = new Recorder();
  table.submit(simplePlan(), waiter, Infinity);
  const first = lastOffer();
  send(first);
  table.batchingClosed('b1');
  expect(offers()).toHaveLength(2);
  answer(first);
  expect(waiter.answers).toBe(1);
  expect(toBatching.at(-1)).toEqual({ kind: 'cancel', offerId: lastOffer(), reason: 'cancelled' });
  answer(lastOffer());
  expect(waiter.answers).toBe(1);
});

test('the request’s bytes are free once the newest offer is answered', () => {
  const [first, second] = [new Recorder(), new Recorder()];
  table.submit(simplePlan(), first, Infinity);
  send(lastOffer());
  answer(lastOffer());
  expect(first.done).toBe(true);
  table.submit(simplePlan(), second, Infinity);
  const before = lastOffer();
  send(before);
  table.batchingClosed('b1');
  send(lastOffer());
  answer(before);
  expect(second.done).toBe(false);
});

describe('a request with a client’s shared memory', () => {
  const kilobyte = 1024;
  const inRegion = { region: 'r', offset: 0, byteSize: 100 * kilobyte };
  const part = new FilePart({ fd: 0, device: 1, inode: 1, offset: 0, byteLength: 100 * kilobyte }, false);
  const bytes = {
    byteLength: 3,
    readInto: (to: Uint8Array, at: number) => to.set([1, 2, 3], at),
    release: () => undefined,
  };
  let waiter: Recorder;

  beforeEach(() => {
    const made = simplePlan();
    const regions = { part: () => part } as unknown as RegionUse;
    const inputs = [{ index: 0, shape: [3], bytes }];
    const outputs = [{ index: 1, classification: 0, sharedMemory: inRegion }];
    waiter = new Recorder();
    table.submit(
      { ...made, regions, request: { ...made.request, inputs, outputs, sharedMemoryOutputs: true } },
      waiter,
      Infinity,
    );
  });

  test('leaves it to a runner of this machine, until one has refused', () => {
    sharesMemory = true;
    send(lastOffer());
    const place = { file: part, region: 'r', offset: 0 };
    expect(toRunner.at(-1)).toMatchObject({ outputs: [{ index: 1, classification: 0, place }] });
    expect(toRunner.at(-1)?.kind === 'data' && toRunner.at(-1)).toHaveProperty('inputs.0.bytes', bytes);
    table.runnerMessage('r1', { kind: 'refused', offerId: lastOffer() });
    send(lastOffer());
    expect(toRunner.at(-1)).toMatchObject({
      inputs: [{ index: 0, shape: [3], bytes: Buffer.from([1, 2, 3]) }],
      outputs: [{ index: 1, classification: 0 }],
    });
    answer(lastOffer());
    expect(waiter.answers).toBe(1);
  });

  test('is sent with its bytes to any other', () => {
    send(lastOffer());
    expect(toRunner.at(-1)).toMatchObject({ inputs: [{ bytes: Buffer.from([1, 2, 3]) }] });
    answer(lastOffer());
    expect(waiter.answers).toBe(1);
  });
});

test('an answer that cannot be read is as good as none; one that memory cannot hold fails', () => {
  const [first, second] = [new Recorder(), new Recorder()];
  const answerWith = (thrown: unknown) => {
    let released = 0;
    const readInto = () => {
      throw thrown;
    };
    const response = { byteLength: 3, readInto, release: () => void (released += 1) };
    table.runnerMessage('r1', { kind: 'answer', offerId: lastOffer(), response, computeUs: 0 });
    return released;
  };
  table.submit(simplePlan(), first, Infinity);
  send(lastOffer());
  expect(answerWith(new ShoalError('DATA_LOSS', 'gone'))).toBe(1);
  expect(first.settled).toBe(0);
  table.runnerClosed('r1');
  answer(lastOffer());
  expect(first.answers).toBe(1);
  table.submit(simplePlan(), second, Infinity);
  send(lastOffer());
  expect(answerWith(new RangeError('Array buffer allocation failed'))).toBe(1);
  expect(second.failure?.code).toBe('RESOURCE_EXHAUSTED');
});

describe('a runner that is lost', () => {
  let waiter: Recorder;

  function lose(runner: string): void {
    send(lastOffer(), runner);
    runnersUp.delete(runner);
    table.runnerClosed(runner);
  }

  function cut(): void {
    lose('r1');
    runnersUp.add('r1');
    table.runnerOpened('r1');
  }

  beforeEach(() => {
    runnersUp.add('r2');
    waiter = new Recorder();
    table.submit(simplePlan(), waiter, Infinity);
  });

  test('and that batching still chooses is not waited for; one that is back is', () => {
    lose('r1');
    send(lastOffer(), 'r1');
    expect(offers()).toHaveLength(3);
    runnersUp.add('r1');
    table.runnerOpened('r1');
    runnersUp.delete('r1');
    send(lastOffer(), 'r1');
    expect(offers()).toHaveLength(3);
    runOut();
    send(lastOffer(), 'r2');
    answer(lastOffer());
    expect(waiter.answers).toBe(1);
    runOut();
  });

  test('and a second one: the request is the likely cause', () => {
    lose('r1');
    expect([waiter.settled, offers().length]).toEqual([0, 2]);
    lose('r2');
    expect(waiter.failure).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(/ended 2 times/) });
  });

  test('only as its link was cut costs the request nothing, also when another is lost', () => {
    for (let i = 0; i < 5; i += 1) cut();
    lose('r2');
    expect([waiter.settled, offers().length, offers().at(-1)?.solo]).toEqual([0, 7, true]);
    send(lastOffer());
    answer(lastOffer());
    expect(waiter.answers).toBe(1);
  });

  test('for good after it came back once counts with the next', () => {
    cut();
    lose('r1');
    expect(waiter.settled).toBe(0);
    lose('r2');
    expect(waiter.failure).toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('and comes back, and is lost, again and again, is given up: it may be the request that breaks links', () => {
    let cuts = 0;
    for (; waiter.settled === 0 && cuts < 100; cuts += 1) cut();
    expect(cuts).toBe(14);
    expect(waiter.failure).toMatchObject({ code: 'UNAVAILABLE' });
  });
});

test('a batch that is split sends the bytes again, to the place named last', () => {
  const waiter = new Recorder();
  table.submit(simplePlan(), waiter, Infinity);
  send(lastOffer(), 'r1', 1);
  send(lastOffer(), 'r1', 2);
  expect(toRunner).toMatchObject([{ batchId: 1 }, { batchId: 2 }]);
  table.batchingMessage({ kind: 'reject', offerId: lastOffer(), code: 'INTERNAL', message: 'boom', origin: 'model' });
  expect(waiter.failure?.message).toBe('boom');
});

test('at the end all that is left fails', () => {
  const waiters = [new Recorder(), new Recorder()];
  for (const waiter of waiters) table.submit(simplePlan(), waiter, Infinity);
  batchingUp = false;
  const unrouted = new Recorder();
  table.submit(simplePlan(), unrouted, Infinity);
  table.close(new ShoalError('UNAVAILABLE', 'over'));
  expect([...waiters, unrouted].map(({ failure }) => failure?.message)).toEqual(['over', 'over', 'over']);
});

type Step =
  | { kind: 'submit'; deadline: number }
  | { kind: 'cancel'; pick: number }
  | { kind: 'send' | 'answer' | 'refuse' | 'reject'; pick: number }
  | { kind: 'advance'; ms: number }
  | { kind: 'runner' | 'batching' };

test('in any history every request is settled exactly once, and nothing is left', () => {
  const pick = fc.nat(50);
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('submit' as const), deadline: fc.constantFrom(5, 50, 1e9) }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'cancel' as const,
          'send' as const,
          'send' as const,
          'answer' as const,
          'refuse' as const,
          'reject' as const,
        ),
        pick,
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('runner' as const, 'batching' as const) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      reset();
      const waiters: Recorder[] = [];
      const pending: ReturnType<RequestTable['submit']>[] = [];
      const cancelled = new Set<number>();
      for (const one of steps) {
        const id = 'pick' in one ? 1 + (one.pick % Math.max(lastOffer(), 1)) : 0;
        if (one.kind === 'submit') {
          const waiter = new Recorder();
          waiters.push(waiter);
          const ordered = one.deadline > 50 && waiters.length % 2 === 0;
          const plan = simplePlan(ordered ? { dynamic_batching: { preserve_ordering: true } } : {});
          pending.push(table.submit(plan, waiter, clock.now() + one.deadline));
        } else if (one.kind === 'advance') clock.advance(one.ms);
        else if (one.kind === 'send') send(id, id % 3 === 0 ? 'r9' : 'r1');
        else if (one.kind === 'answer') answer(id);
        else if (one.kind === 'refuse') table.runnerMessage('r1', { kind: 'refused', offerId: id });
        else if (one.kind === 'reject') {
          const message = id % 2 === 0 ? notReady : 'Exceeds maximum queue size';
          table.batchingMessage({ kind: 'reject', offerId: id, code: 'UNAVAILABLE', message, origin: 'queue' });
        } else if (one.kind === 'runner') table.runnerClosed('r1');
        else if (one.kind === 'batching') {
          batchingUp = !batchingUp;
          if (batchingUp) table.batchingOpened();
          else table.batchingClosed('b1');
        } else if (one.kind === 'cancel') {
          const index = one.pick % Math.max(pending.length, 1);
          const request = pending[index];
          if (request && waiters[index]?.settled === 0) cancelled.add(index);
          if (request) table.cancel(request);
        }
      }
      // Whatever is left answers in the end, or runs out of time.
      batchingUp = true;
      table.batchingOpened();
      for (let id = 1; id <= lastOffer(); id += 1) answer(id);
      runOut();
      for (let id = 1; id <= lastOffer(); id += 1) answer(id);
      waiters.forEach((waiter, index) => expect(waiter.settled).toBe(cancelled.has(index) ? 0 : 1));
      expect(table.size).toBe(0);
      runOut();
    }),
    { numRuns: 300 },
  );
});
