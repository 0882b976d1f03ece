import * as fc from 'fast-check';
import { decodeSpans } from '../../../../test/support/otlp/decode';
import { type RecordedSpan, SinkTracer } from './recorded-span';
import { encodeEnvelope } from './resource';
import type { AttributeValue, Span, SpanKind } from './span';
import { contextFromWire, spanIdOf, traceIdOf } from './span-context';
import { SpanQueue } from './span-queue';
import { WallStamp } from './wall-stamp';
import type { WallTime } from './wall-time';

const limits = { attributes: 100, events: 100, links: 100, valueLength: 1e6 };
const queueLimits = { spans: 1e6, bytes: 2 ** 30, batchSpans: 1e6, batchBytes: 2 ** 30 };

/** Spans that `make` records, as a receiver decodes them. */
function sent(make: (tracer: SinkTracer) => void, offset = 0, kept = limits) {
  const queue = new SpanQueue(queueLimits, new WallStamp({ offset } as WallTime), () => undefined);
  const envelope = encodeEnvelope({ 'service.name': 'shoal-test', n: 3 }, { name: 'shoal/test', version: '1' });
  make(new SinkTracer(queue.sink(envelope), kept));
  return decodeSpans(queue.take()!.request);
}

const texts = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ maxLength: 300 }), fc.string({ unit: 'binary' }));
const values: fc.Arbitrary<AttributeValue> = fc.oneof(
  texts,
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.array(texts, { maxLength: 5 }),
);
const times = fc.double({ min: 0, max: 1e12, noNaN: true });
const kinds = fc.constantFrom<SpanKind>('internal', 'server', 'client', 'producer', 'consumer');
const wires = fc
  .uint8Array({ minLength: 25, maxLength: 25 })
  .map((bytes) => Buffer.from(bytes))
  .filter((wire) => contextFromWire(wire) !== undefined);
const contexts = fc.record({ wire: wires, traceState: fc.constantFrom('', 'a=1', `k=${'v'.repeat(200)}`) });

/** The receiver’s view of a value: whole numbers as bigint, strings as UTF-8 can hold them. */
function seen(value: AttributeValue): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  return typeof value === 'object' ? value.map(wellFormed) : typeof value === 'string' ? wellFormed(value) : value;
}

/** A lone surrogate becomes the replacement character. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

/** `ms` in ns, exactly: every double is a fraction of a power of two. */
function nanos(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.floor((ms - whole) * 1e6));
}

test('whatever a span holds, protobufjs decodes it by the public definitions', () => {
  const shape = fc.record({
    name: texts,
    kind: kinds,
    parent: fc.option(contexts, { nil: undefined }),
    start: times,
    end: times,
    attributes: fc.array(fc.tuple(texts, values), { maxLength: 20 }),
    events: fc.array(fc.tuple(texts, times), { maxLength: 20 }),
    links: fc.array(contexts, { maxLength: 20 }),
    failure: fc.option(texts, { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(shape, { minLength: 1, maxLength: 4 }), (shapes) => {
      const made: Span[] = [];
      const spans = sent((tracer) => {
        for (const { name, kind, parent, start, end, attributes, events, links, failure } of shapes) {
          const span = parent ? tracer.start(name, kind, parent, start) : tracer.startRoot(name, kind, start);
          for (const [key, value] of attributes) span.set(key, value);
          for (const [event, at] of events) span.event(event, at);
          for (const link of links) span.link(link);
          if (failure !== undefined) span.fail('INTERNAL', failure);
          span.end(end);
          made.push(span);
        }
      });
      expect(spans).toEqual(
        shapes.map(({ name, kind, parent, start, end, attributes, events, links, failure }, n) => ({
          service: 'shoal-test',
          resource: { 'service.name': 'shoal-test', n: 3n },
          scope: 'shoal/test',
          name: wellFormed(name),
          kind: kind.toUpperCase(),
          traceId: traceIdOf(parent ?? made[n]!),
          spanId: spanIdOf(made[n]!),
          parentSpanId: parent ? spanIdOf(parent) : '',
          traceState: parent?.traceState ?? '',
          flags: parent ? parent.wire[24] : 1,
          start: nanos(start),
          end: nanos(end),
          attributes: Object.fromEntries([
            ...attributes.map(([key, value]) => [wellFormed(key), seen(value)]),
            ...(failure === undefined ? [] : [['error.type', 'INTERNAL']]),
          ]),
          events: events.map(([event, at]) => ({ name: wellFormed(event), at: nanos(at) })),
          links: links.map((link) => ({
            traceId: traceIdOf(link),
            spanId: spanIdOf(link),
            traceState: link.traceState,
          })),
          status: failure === undefined ? 'UNSET' : 'ERROR',
          message: wellFormed(failure ?? ''),
          dropped: { attributes: 0, events: 0, links: 0 },
        })),
      );
    }),
    { numRuns: 100 },
  );
});

test('W3C’s flags go on from a caller to all that is under it, and into links to that', () => {
  const caller = { wire: Buffer.alloc(25, 7), traceState: '' };
  const spans = sent((tracer) => {
    const outer = tracer.start('outer', 'server', caller, 1);
    const inner = tracer.start('inner', 'internal', outer, 1);
    const root = tracer.startRoot('root', 'internal', 1);
    root.link(inner);
    for (const span of [outer, inner, root]) span.end(2);
    expect([caller, outer, inner].map(({ wire }) => wire[24])).toEqual([7, 7, 7]);
    expect(root.wire[24]).toBe(1);
  });
  expect(spans.map(({ flags }) => flags)).toEqual([7, 7, 1]);
  expect(spans[1]).toMatchObject({ traceId: '07'.repeat(16), parentSpanId: spans[0]!.spanId });
  expect(spans[2]!.links).toEqual([{ traceId: '07'.repeat(16), spanId: spans[1]!.spanId, traceState: '' }]);
});

test('what is beyond the limits is counted and not sent', () => {
  const [span] = sent(
    (tracer) => {
      const made = tracer.startRoot('a', 'internal', 1);
      for (let n = 0; n < 5; n++) {
        made.set(`k${n}`, n);
        made.event(`e${n}`, n);
        made.link(made);
      }
      made.end(2);
    },
    0,
    { attributes: 2, events: 3, links: 4, valueLength: 1e6 },
  );
  expect(span).toMatchObject({
    attributes: { k0: 0n, k1: 1n },
    dropped: { attributes: 3, events: 2, links: 1 },
  });
  expect([span!.events.length, span!.links.length]).toEqual([3, 4]);
});

test('texts that are too long are cut', () => {
  const [span] = sent(
    (tracer) => {
      const made = tracer.startRoot('a', 'internal', 1);
      made.set('text', 'abcdef');
      made.set('list', ['abcdef', 'a']);
      made.fail('INTERNAL', 'it broke');
      made.end(2);
    },
    0,
    { ...limits, valueLength: 3 },
  );
  expect(span).toMatchObject({
    attributes: { text: 'abc', list: ['abc', 'a'], 'error.type': 'INTERNAL' },
    message: 'it ',
  });
});

test('a real that is whole is a double all the same', () => {
  const [span] = sent((tracer) => {
    const made = tracer.startRoot('a', 'internal', 1);
    made.setReal('slack', 2);
    made.setReal('rest', 0.5);
    made.end(2);
  });
  expect(span!.attributes).toEqual({ slack: 2, rest: 0.5 });
});

test('times are wall-clock nanoseconds, across seconds, to better than a microsecond; one that is no time harms nobody', () => {
  const offset = 1_790_000_000_000.125;
  const ats = [0, 0.001, 999.8745, 999.8755, 1000, 123_456_789.123456, 999.5, Number.NaN, Number.POSITIVE_INFINITY];
  const spans = sent((tracer) => ats.forEach((at) => tracer.startRoot('a', 'internal', at).end(5)), offset);
  const expected = ats.map((at) => 1_790_000_000_000_000_000n + (Number.isFinite(at) ? nanos(at + 0.125) : 0n));
  expect(spans.slice(0, 7).map(({ start }) => start)).toEqual(expected.slice(0, 7));
  expect(spans).toHaveLength(9);
});

test('a span that is larger than any before it', () => {
  const long = 'ab'.repeat(100_000);
  const [span] = sent((tracer) => {
    const made = tracer.startRoot(long, 'internal', 1);
    made.set('é', `é${long}`);
    made.end(2);
  });
  expect(span!.name).toBe(long);
  expect(span!.attributes['é']).toBe(`é${long}`);
});

test('a span goes to its sink once', () => {
  const ended: RecordedSpan[] = [];
  const span = new SinkTracer({ ended: (one) => void ended.push(one) }, limits).startRoot('a', 'internal', 1);
  span.end(2);
  span.end(3);
  expect(ended.map(({ endAt }) => endAt)).toEqual([2]);
});
