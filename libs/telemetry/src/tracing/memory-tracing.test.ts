import { MemoryTracing } from './memory-tracing';
import { contextFromWire, spanIdOf, traceIdOf } from './span-context';
import { unsampledTraceparent } from './traceparent';

const nothing = { header: () => undefined };

function says(traceparent: string) {
  return { header: (name: string) => (name === 'traceparent' ? traceparent : undefined) };
}

test('children have their parent’s trace; what a span holds is seen when it has ended, and nothing later', () => {
  const tracing = new MemoryTracing();
  const door = tracing.door.open('Infer', 'm', nothing, 1)!;
  const child = tracing.tracer('runner').start('compute', 'internal', contextFromWire(door.wire)!, 2);
  const batch = tracing.tracer('batching').startRoot('batch', 'internal', 2);
  child.set('rows', 4);
  child.setReal('slack', 2);
  child.event('COMPUTE_START', 2.5);
  child.link(batch);
  child.fail('INTERNAL', 'it broke');
  child.fail('OTHER', 'later');
  child.end(3);
  child.set('late', true);
  child.event('late', 4);
  child.link(door);
  child.end(4);
  expect(tracing.spans).toEqual([
    {
      service: 'runner',
      name: 'compute',
      kind: 'internal',
      traceId: traceIdOf(door),
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      parentSpanId: spanIdOf(door),
      traceState: '',
      startAt: 2,
      endAt: 3,
      attributes: { rows: 4, slack: 2, 'error.type': 'INTERNAL' },
      events: [{ name: 'COMPUTE_START', at: 2.5 }],
      links: [{ traceId: traceIdOf(batch), spanId: spanIdOf(batch) }],
      failure: 'it broke',
    },
  ]);
  expect(traceIdOf(batch)).not.toBe(traceIdOf(door));
});

test('without a parent there is no span', () => {
  expect(new MemoryTracing().tracer('runner').start('compute', 'internal', undefined, 1)).toBeUndefined();
});

test('the door honours what the caller says', () => {
  const { door } = new MemoryTracing();
  const trace = '0af7651916cd43dd8448eb211c80319c';
  expect(traceIdOf(door.open('Infer', 'm', says(`00-${trace}-b7ad6b7169203331-01`), 1)!)).toBe(trace);
  expect(door.open('Infer', 'm', says(unsampledTraceparent), 1)).toBeUndefined();
});

test('no two spans have the same id, across many pieces of random bytes', () => {
  const tracer = new MemoryTracing().tracer('router');
  const roots = Array.from({ length: 2000 }, () => tracer.startRoot('a', 'internal', 1));
  expect(new Set(roots.map(traceIdOf)).size).toBe(2000);
  expect(new Set(roots.map(spanIdOf)).size).toBe(2000);
  for (const { wire } of roots) expect(contextFromWire(wire)).toBeDefined();
});
