import { FakeClock } from '@shoal/testing';
import { decodeSpans } from '../../../../test/support/otlp/decode';
import { encodeEnvelope } from './resource';
import { spanIdOf } from './span-context';
import { SpanQueue } from './span-queue';
import { SpanRelay } from './span-relay';
import { WallStamp } from './wall-stamp';
import { WallTime } from './wall-time';

const envelope = encodeEnvelope({ 'service.name': 'shoal-runner' }, { name: 'shoal/runner', version: '1' });

function rig(maxBytes = 10_000, maxSpans = 1000) {
  const clock = new FakeClock(5000);
  const limits = { spans: maxSpans, bytes: 1e6, batchSpans: 1e6, batchBytes: 1e6 };
  const grown: boolean[] = [];
  const queue = new SpanQueue(limits, new WallStamp(new WallTime(clock)), (full) => grown.push(full));
  const take = queue.relay(envelope);
  const handed: number[] = [];
  const relay = new SpanRelay({
    clock,
    delayMs: 50,
    maxBytes,
    hand(encoded, spans) {
      handed.push(spans);
      take(encoded, spans);
    },
  });
  return { clock, queue, relay, handed, grown };
}

test('spans are handed over after a moment, together, and arrive as they were', () => {
  const { clock, queue, relay, handed, grown } = rig();
  const wall = clock.epochMs() - clock.now();
  const run = relay.tracer.startRoot('run', 'internal', clock.now());
  const compute = relay.tracer.start('compute', 'internal', run, clock.now());
  clock.advance(2);
  compute.set('rows', 3);
  compute.link(run);
  compute.end(clock.now());
  run.end(clock.now());
  expect(handed).toEqual([]);
  clock.advance(50);
  expect(handed).toEqual([2]);
  expect(grown).toEqual([false]);
  expect(queue.waiting).toBe(2);
  const spans = decodeSpans(queue.take()!.request);
  const at = (ms: number) => BigInt(ms + wall) * 1_000_000n;
  expect(spans).toMatchObject([
    {
      service: 'shoal-runner',
      name: 'compute',
      spanId: spanIdOf(compute),
      parentSpanId: spanIdOf(run),
      start: at(5000),
      end: at(5002),
      attributes: { rows: 3n },
      links: [{ spanId: spanIdOf(run) }],
    },
    { name: 'run', spanId: spanIdOf(run), parentSpanId: '' },
  ]);
  expect(clock.pending).toBe(0);
});

test('many bytes are handed over before; nothing is handed over twice, and nothing where there is nothing', () => {
  const { clock, relay, handed } = rig(400);
  for (let i = 0; i < 20; i += 1) relay.tracer.startRoot('a', 'internal', 1).end(2);
  const early = handed.reduce((sum, spans) => sum + spans, 0);
  expect(early).toBeGreaterThan(10);
  expect(Math.max(...handed)).toBeLessThan(10);
  relay.flush();
  relay.flush();
  clock.advance(1000);
  expect(handed.reduce((sum, spans) => sum + spans, 0)).toBe(20);
  expect(clock.pending).toBe(0);
});

test('what finds the queue full is counted', () => {
  const { queue, relay } = rig(10_000, 1);
  for (let turn = 0; turn < 2; turn += 1) {
    for (let i = 0; i < 3; i += 1) relay.tracer.startRoot('a', 'internal', 1).end(2);
    relay.flush();
  }
  expect([queue.waiting, queue.dropped]).toEqual([3, 3]);
});
