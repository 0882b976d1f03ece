import { decodeSpans } from '../../../../test/support/otlp/decode';
import { type SpanLimits, SinkTracer } from './recorded-span';
import { encodeEnvelope } from './resource';
import { type QueueLimits, SpanQueue } from './span-queue';
import { WallStamp } from './wall-stamp';
import type { WallTime } from './wall-time';

const spanLimits: SpanLimits = { attributes: 10, events: 10, links: 10, valueLength: 1e6 };

function rig(limits: Partial<QueueLimits>) {
  const grown: boolean[] = [];
  const queue = new SpanQueue(
    { spans: 1000, bytes: 1e6, batchSpans: 1000, batchBytes: 1e6, ...limits },
    new WallStamp({ offset: 0 } as WallTime),
    (full) => grown.push(full),
  );
  const tracer = (service: string) =>
    new SinkTracer(
      queue.sink(encodeEnvelope({ 'service.name': service }, { name: service, version: '1' })),
      spanLimits,
    );
  return { queue, tracer, grown };
}

function names(queue: SpanQueue): readonly string[] | undefined {
  const batch = queue.take();
  if (!batch) return undefined;
  const spans = decodeSpans(batch.request);
  expect(spans).toHaveLength(batch.spans);
  return spans.map(({ service, name }) => `${service} ${name}`);
}

test('each service’s spans are under its own resource, in order; a batch that was taken leaves nothing behind', () => {
  const { queue, tracer, grown } = rig({});
  const [a, b] = [tracer('a'), tracer('b')];
  for (const [one, name] of [
    [b, '1'],
    [a, '2'],
    [b, '3'],
  ] as const)
    one.startRoot(name, 'internal', 1).end(2);
  expect(queue.waiting).toBe(3);
  expect(names(queue)).toEqual(['a 2', 'b 1', 'b 3']);
  expect([queue.take(), queue.waiting]).toEqual([undefined, 0]);
  a.startRoot('4', 'internal', 1).end(2);
  expect(names(queue)).toEqual(['a 4']);
  expect(grown).toEqual([false, false]);
});

test('full batches are told of; what finds the queue full is dropped and counted, until there is room', () => {
  const { queue, tracer, grown } = rig({ spans: 5, batchSpans: 2 });
  const a = tracer('a');
  const end = (name: number) => a.startRoot(String(name), 'internal', 1).end(2);
  for (let n = 0; n < 8; n++) end(n);
  expect(grown).toEqual([false, true, true, true, true]);
  expect([queue.waiting, queue.dropped, queue.hasFull]).toEqual([5, 3, true]);
  expect(names(queue)).toEqual(['a 0', 'a 1']);
  end(8);
  end(9);
  expect(names(queue)).toEqual(['a 2', 'a 3']);
  expect(names(queue)).toEqual(['a 4', 'a 8']);
  expect(names(queue)).toEqual(['a 9']);
  expect([names(queue), queue.waiting, queue.dropped]).toEqual([undefined, 0, 3]);
});

test('bytes are bounded, in a batch and in all; a span that is larger than a batch is one of its own', () => {
  const { queue, tracer } = rig({ bytes: 4000, batchBytes: 1000 });
  const a = tracer('a');
  const end = (name: string, bytes: number) => {
    const span = a.startRoot(name, 'internal', 1);
    span.set('x', 'x'.repeat(bytes));
    span.end(2);
  };
  end('1', 300);
  end('2', 300);
  end('3', 600);
  end('4', 2500);
  end('5', 10);
  end('6', 10);
  expect(queue.dropped).toBe(2);
  expect([names(queue), names(queue), names(queue), names(queue)]).toEqual([
    ['a 1', 'a 2'],
    ['a 3'],
    ['a 4'],
    undefined,
  ]);
  end('7', 10);
  expect(names(queue)).toEqual(['a 7']);
});
