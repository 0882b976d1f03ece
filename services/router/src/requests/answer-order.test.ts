import { ShoalError } from '@shoal/core';
import type { Link, LinkMessage } from '@shoal/link';
import { FakeClock } from '@shoal/testing';
import { simplePlan } from '../testing/simple-plan';
import type { InferPlan } from './infer-plan';
import type { Waiter } from './pending-request';
import { RequestTable } from './request-table';

/** Notes in `order` what it is answered with, behind its name. */
class Recorder implements Waiter {
  readonly #name: string;
  readonly #order: string[];
  answers = 0;
  failure: ShoalError | undefined;
  next = simplePlan();

  constructor(name: string, order: string[]) {
    this.#name = name;
    this.#order = order;
  }

  get settled(): number {
    return this.answers + (this.failure ? 1 : 0);
  }

  answered(response: Uint8Array): void {
    this.answers += 1;
    this.#order.push(`${this.#name}:${String(response[0])}`);
  }

  allocate(length: number): Buffer {
    return Buffer.alloc(length);
  }

  failed(error: ShoalError): void {
    this.failure = error;
  }

  replan(): InferPlan {
    return this.next;
  }
}

const notReady = "Request for unknown model: 'simple' version 1 is not at ready state";

let clock: FakeClock;
let table: RequestTable;
let lastOffer: number;
let order: string[];

function link(): Link {
  return {
    peer: { kind: 'hello', role: 'batching', id: 'x' },
    bufferedBytes: 0,
    sharesMemory: false,
    send: (message: LinkMessage) => {
      if (message.kind === 'offer') lastOffer = message.offerId;
    },
    onMessage: () => undefined,
    onClose: () => undefined,
    close: () => Promise.resolve(),
  };
}

beforeEach(() => {
  clock = new FakeClock(1_000);
  order = [];
  lastOffer = 0;
  table = new RequestTable(clock, { owner: () => 'b1', batching: link, runner: link });
});

afterEach(() => {
  // Whatever happened: nothing is left, and no timer either.
  if (table.size !== 0 || clock.pending !== 0) throw new Error(`${table.size} requests, ${clock.pending} timers left`);
});

function orderly(background = false): InferPlan {
  const plan = simplePlan({ dynamic_batching: { preserve_ordering: true } });
  return { ...plan, request: { ...plan.request, background } };
}

/** Submits, and has bytes sent. */
function submit(name: string, { plan = orderly(), deadline = Infinity } = {}) {
  const waiter = new Recorder(name, order);
  const request = table.submit(plan, waiter, deadline);
  send(lastOffer);
  return { waiter, request, offerId: lastOffer };
}

function send(offerId: number): void {
  table.batchingMessage({ kind: 'send', offerId, batchId: 1, member: 0, runner: 'r1' });
}

function reject(offerId: number, message: string): void {
  const [code, origin] = message === notReady ? (['UNAVAILABLE', 'queue'] as const) : (['INTERNAL', 'model'] as const);
  table.batchingMessage({ kind: 'reject', offerId, code, message, origin });
}

function say(offerId: number, word: number): void {
  const response = new Uint8Array([word]);
  table.runnerMessage('r1', { kind: 'answer', offerId, response, computeUs: 0 });
  // The link's memory is used again.
  response.fill(0);
}

/** Past every deadline used here, and so past the table's one timer. */
function runOut(): void {
  clock.advance(2e9);
}

test('answers that come early wait for those before them', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => submit(name));
  say(c!.offerId, 7);
  say(b!.offerId, 6);
  expect(order).toEqual([]);
  expect(table.size).toBe(4);
  say(a!.offerId, 5);
  expect(order).toEqual(['a:5', 'b:6', 'c:7']);
  say(d!.offerId, 8);
  expect(order).toEqual(['a:5', 'b:6', 'c:7', 'd:8']);
});

test('one that fails, is cancelled or runs out of time gives up its turn', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => submit(name));
  say(c!.offerId, 7);
  reject(b!.offerId, 'boom');
  expect(b!.waiter.failure?.message).toBe('boom');
  expect(order).toEqual([]);
  table.cancel(a!.request);
  expect(order).toEqual(['c:7']);

  const late = submit('late', { deadline: clock.now() + 50 });
  const patient = submit('patient');
  say(patient.offerId, 9);
  expect(order).toEqual(['c:7']);
  runOut();
  expect(late.waiter.failure?.code).toBe('DEADLINE_EXCEEDED');
  expect(order).toEqual(['c:7', 'patient:9']);
});

test('one whose answer is held is not offered again, can be cancelled, and keeps its deadline', () => {
  const a = submit('a');
  const b = submit('b');
  const c = submit('c', { deadline: clock.now() + 50 });
  say(b.offerId, 6);
  say(c.offerId, 7);
  const before = lastOffer;
  table.runnerClosed('r1');
  expect(lastOffer).toBe(before + 1);
  table.cancel(b.request);
  runOut();
  expect(c.waiter.failure?.code).toBe('DEADLINE_EXCEEDED');
  send(lastOffer);
  say(lastOffer, 5);
  expect(order).toEqual(['a:5']);
  expect(a.waiter.answers).toBe(1);
});

test('answers that are held have a bound in bytes: beyond it they fail, and what was held counts no more once it has gone', () => {
  table = new RequestTable(clock, { owner: () => 'b1', batching: link, runner: link }, undefined, 2);
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => submit(name));
  for (const one of [d, c, b]) say(one!.offerId, 7);
  expect(b!.waiter.failure?.code).toBe('RESOURCE_EXHAUSTED');
  expect([c, d].map((one) => one!.waiter.settled)).toEqual([0, 0]);
  table.cancel(d!.request);
  say(a!.offerId, 5);
  expect(order).toEqual(['a:5', 'c:7']);
  const [e, f, g] = ['e', 'f', 'g'].map((name) => submit(name));
  for (const one of [g, f, e]) say(one!.offerId, 8);
  expect(order.slice(2)).toEqual(['e:8', 'f:8', 'g:8']);
});

test('requests in the background have no turn, nor do those of models that promise none', () => {
  const first = submit('first');
  for (const plan of [simplePlan(), orderly(true)]) say(submit('other', { plan }).offerId, 1);
  expect(order).toEqual(['other:1', 'other:1']);
  say(first.offerId, 2);
});

test('one that comes to another queue takes the last turn there, and none in the old one', () => {
  const a = submit('a');
  const b = submit('b');
  say(b.offerId, 6);
  a.waiter.next = simplePlan({ dynamic_batching: { preserve_ordering: true } }, 'g2');
  reject(a.offerId, notReady);
  expect(order).toEqual(['b:6']);
  say(lastOffer, 5);
  expect(order).toEqual(['b:6', 'a:5']);
});

test('at the end each request is settled once, held or not', () => {
  const [a, b] = ['a', 'b'].map((name) => submit(name));
  say(b!.offerId, 6);
  table.close(new ShoalError('UNAVAILABLE', 'over'));
  expect([a, b].map((one) => one!.waiter.settled)).toEqual([1, 1]);
});
