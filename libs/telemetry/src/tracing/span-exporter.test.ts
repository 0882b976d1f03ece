import { FakeClock } from '@shoal/testing';
import { type LogFields, type Logger, silentLogger } from '../logger';
import { SinkTracer } from './recorded-span';
import { encodeEnvelope } from './resource';
import { SpanExporter } from './span-exporter';
import { type EncodedBatch, type QueueLimits, SpanQueue } from './span-queue';
import { WallStamp } from './wall-stamp';
import type { WallTime } from './wall-time';

let clock: FakeClock;
let exporter: SpanExporter;
let queue: SpanQueue;
let sent: number[];
let answer: (error?: Error & { code?: number | string }) => void;
let lines: string[];
let closed: number;

beforeEach(() => {
  clock = new FakeClock();
  lines = [];
});

function open(limits: Partial<QueueLimits> = {}) {
  sent = [];
  closed = 0;
  const sender = {
    send(batch: EncodedBatch, done: (error: Error | undefined) => void) {
      sent.push(batch.spans);
      answer = done;
    },
    close: () => Promise.resolve(void closed++),
  };
  const note = (message: string, fields?: LogFields) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { ...silentLogger, info: note, warn: note };
  queue = new SpanQueue(
    { spans: 20, bytes: 1e6, batchSpans: 5, batchBytes: 1e6, ...limits },
    new WallStamp({ offset: 0 } as WallTime),
    (full) => exporter.grown(full),
  );
  exporter = new SpanExporter(queue, sender, { clock, logger, delayMs: 1000, timeoutMs: 9000 });
  const sink = queue.sink(encodeEnvelope({}, { name: 'test', version: '1' }));
  const tracer = new SinkTracer(sink, { attributes: 1, events: 1, links: 1, valueLength: 10 });
  return (spans: number) => {
    for (let n = 0; n < spans; n++) tracer.startRoot('a', 'internal', 1).end(2);
  };
}

test('a full batch goes at once; others when the first has waited long enough', () => {
  const end = open();
  end(5);
  expect(sent).toEqual([5]);
  answer();
  end(1);
  clock.advance(999);
  end(2);
  expect(sent).toEqual([5]);
  clock.advance(1);
  expect(sent).toEqual([5, 3]);
  answer();
  expect([exporter.exported, exporter.lost, queue.dropped, clock.pending]).toEqual([8, 0, 0, 0]);
});

test('one export at a time: what ends meanwhile follows, full batches at once, and what finds no room is dropped', () => {
  const end = open();
  end(5);
  end(23);
  clock.advance(2000);
  expect([sent, queue.dropped]).toEqual([[5], 3]);
  for (let n = 0; n < 4; n++) answer();
  expect(sent).toEqual([5, 5, 5, 5, 5]);
  answer();
  end(2);
  expect(sent).toHaveLength(5);
  clock.advance(1000);
  expect(sent.at(-1)).toBe(2);
});

test('an outage is told once, and its end; what could not be sent is lost and counted', () => {
  const end = open();
  for (let n = 0; n < 3; n++) {
    end(5);
    answer(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
  }
  expect(lines).toEqual([expect.stringContaining('spans cannot be exported')]);
  expect([exporter.lost, exporter.failedExports]).toEqual([15, 3]);
  end(5);
  answer();
  end(5);
  answer();
  expect(lines).toEqual([expect.anything(), 'spans are exported again {"lost":15,"dropped":0}']);
  end(5);
  answer(new Error('x'));
  expect(lines).toHaveLength(3);
});

test('gRPC codes that OTLP calls retryable are tried again, later and later, and for the last time after 13 s', () => {
  const end = open();
  end(5);
  const unavailable = Object.assign(new Error('UNAVAILABLE'), { code: 14 });
  for (const pause of [1000, 1500, 2250, 3375, 5062.5]) {
    answer(unavailable);
    clock.advance(pause - 1);
    const before = sent.length;
    clock.advance(1);
    expect(sent.length).toBe(before + 1);
  }
  expect([exporter.lost, sent.length]).toEqual([0, 6]);
  answer(unavailable);
  expect([exporter.lost, clock.pending]).toEqual([5, 0]);
  end(5);
  answer(Object.assign(new Error('INVALID_ARGUMENT'), { code: 3 }));
  expect([exporter.lost, sent.length, clock.pending]).toEqual([10, 7, 0]);
});

test('an export that is never answered is given up; its late answer counts for nothing', () => {
  const end = open();
  end(5);
  const late = answer;
  end(5);
  clock.advance(9000);
  expect([sent, exporter.lost]).toEqual([[5, 5], 5]);
  late();
  expect(exporter.exported).toBe(0);
  answer();
  expect([exporter.exported, clock.pending]).toEqual([5, 0]);
});

test('closing sends all that waits, and then ends the sender', async () => {
  const end = open();
  end(12);
  const over = exporter.close(500);
  expect(closed).toBe(0);
  for (let n = 0; n < 3; n++) answer();
  await over;
  expect([sent, exporter.exported, closed, clock.pending]).toEqual([[5, 5, 2], 12, 1, 0]);
  end(1);
  await exporter.close(500);
  expect([sent.length, clock.pending]).toEqual([3, 0]);
});

test('closing an exporter that has nothing', async () => {
  open();
  await exporter.close(500);
  expect([sent, closed, clock.pending]).toEqual([[], 1, 0]);
});

test('closing is bounded while nothing is answered', async () => {
  const end = open();
  end(12);
  const over = exporter.close(500);
  clock.advance(500);
  await over;
  expect([closed, exporter.exported, exporter.lost, clock.pending]).toEqual([1, 0, 7, 0]);
});
