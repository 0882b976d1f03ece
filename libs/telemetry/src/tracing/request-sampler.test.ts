import { seededRandom } from '@shoal/core';
import { MemoryTracing } from './memory-tracing';
import { RequestSampler, type TraceRule } from './request-sampler';
import { SamplingDoor } from './sampling-door';
import { traceIdOf } from './span-context';

const rule: TraceRule = { enabled: true, rate: 1, count: -1 };
const ids = Array.from({ length: 1000 }, (_, n) => {
  const random = seededRandom(n);
  return Buffer.from(Array.from({ length: 16 }, () => Math.floor(random.next() * 256)));
});

function sampler(parentBased = true, ratio = 1) {
  return new RequestSampler({ parentBased, ratio }, seededRandom(7));
}

/** Of `requests` without a caller’s word, which are recorded. */
function drawn(one: RequestSampler, model: string, requests: number): string {
  return Array.from({ length: requests }, () => (one.root(model) ? 'x' : '.')).join('');
}

test('every so many-th request, and only so many', () => {
  const one = sampler();
  one.set('', { ...rule, rate: 3, count: 2 }, true);
  expect(drawn(one, 'm', 10)).toBe('..x..x....');
  expect(one.left('')).toBe(0);
  one.set('', { ...rule, rate: 3, count: 2 }, false);
  expect(drawn(one, 'm', 5)).toBe('.....');
  one.set('', { ...rule, rate: 3, count: 2 }, true);
  expect(drawn(one, 'm', 5)).toBe('..x..');
  one.set('', { ...rule, rate: 2, count: 2 }, true);
  expect(drawn(one, 'm', 5)).toBe('.x.x.');
});

test('models without a rule share the server’s; those with one count for themselves', () => {
  const one = sampler();
  one.set('', { ...rule, rate: 2 }, true);
  one.set('own', { ...rule, rate: 3 }, true);
  const order = ['a', 'own', 'b', 'own', 'a', 'own', 'b'];
  expect(order.map((model) => one.root(model))).toEqual([false, false, true, false, false, true, true]);
  one.set('own', undefined, true);
  expect(['own', 'own'].map((model) => one.root(model))).toEqual([false, true]);
  one.set('', undefined, true);
  expect(drawn(one, 'own', 3)).toBe('xxx');
});

test('what callers say goes before rate and count, but not before OFF', () => {
  const one = sampler();
  one.set('', { enabled: true, rate: 0, count: -1 }, true);
  expect(drawn(one, 'm', 3)).toBe('...');
  expect([one.child('m', true, ids[0]!), one.child('m', false, ids[0]!)]).toEqual([true, false]);
  one.set('', { enabled: true, rate: 1, count: 0 }, true);
  expect([one.child('m', true, ids[0]!), one.root('m')]).toEqual([true, false]);
  one.set('off', { enabled: false, rate: 1, count: -1 }, true);
  expect([one.child('off', true, ids[0]!), one.root('off')]).toEqual([false, false]);
});

test('a request whose caller records counts as one of the requests, as in Triton; one whose caller does not, does not', () => {
  const one = sampler();
  one.set('', { ...rule, rate: 2 }, true);
  expect([one.child('m', true, ids[0]!), one.root('m'), one.root('m')]).toEqual([true, true, false]);
  one.set('', { ...rule, rate: 2, count: 5 }, true);
  expect([one.child('m', false, ids[0]!), one.root('m'), one.root('m')]).toEqual([false, false, true]);
  expect(one.left('')).toBe(4);
});

test.each([
  ['always_on', false, 1, [true, true, true]],
  ['always_off', false, 0, [false, false, false]],
  ['parentbased_always_on', true, 1, [true, true, false]],
  ['parentbased_always_off', true, 0, [false, true, false]],
] as const)('without rules, %s: no caller, one that records, one that does not', (_, parentBased, ratio, expected) => {
  const one = sampler(parentBased, ratio);
  expect([one.root('m'), one.child('m', true, ids[0]!), one.child('m', false, ids[0]!)]).toEqual(expected);
});

test('a ratio is that of the traces, and the same for a trace each time, whatever its caller says', () => {
  const one = sampler(false, 0.25);
  const roots = drawn(one, 'm', 2000).split('x').length - 1;
  expect(Math.abs(roots - 500)).toBeLessThan(6 * Math.sqrt(2000 * 0.25 * 0.75));
  const first = ids.map((id) => one.child('m', true, id));
  expect(ids.map((id) => one.child('m', false, id))).toEqual(first);
  const taken = first.filter(Boolean).length;
  expect(Math.abs(taken - 250)).toBeLessThan(6 * Math.sqrt(1000 * 0.25 * 0.75));
  // A higher ratio holds all of a lower one.
  const more = sampler(false, 0.5);
  ids.forEach((id, n) => expect(first[n]! && !more.child('m', true, id)).toBe(false));
});

describe('the door', () => {
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const says = (flags: string) => ({
    header: (name: string) => ({ traceparent: `00-${trace}-b7ad6b7169203331-${flags}`, tracestate: 'a=1' })[name],
  });
  const says2 = { header: (name: string) => (name === 'traceparent' ? 'nonsense' : undefined) };
  const tracing = new MemoryTracing();
  const open = (one: RequestSampler, headers: { header(name: string): string | undefined }, listens = true) =>
    new SamplingDoor(tracing.tracer('router'), one, listens).open('Infer', 'm', headers, 1);

  test('goes on under a caller that records', () => {
    const span = open(sampler(), says('01'))!;
    expect([traceIdOf(span), span.traceState]).toEqual([trace, 'a=1']);
    expect(open(sampler(), says('00'))).toBeUndefined();
  });

  test('with always_on, or a trace of the ratio’s, also under one that does not', () => {
    expect(traceIdOf(open(sampler(false, 1), says('00'))!)).toBe(trace);
    expect(open(sampler(false, 0), says('01'))).toBeUndefined();
  });

  test('what is no traceparent begins a trace; so does everything where nobody listens', () => {
    expect(open(sampler(), says2)).toBeDefined();
    expect(traceIdOf(open(sampler(), says('01'), false)!)).not.toBe(trace);
  });
});
