import { FakeClock } from '@shoal/testing';
import { MetricRegistry } from './registry';
import { renderOpenMetrics, renderPrometheus } from './text-format';
import { VersionSets } from './version-sets';

let registry: MetricRegistry;
const spec = { name: 'fish_total', help: 'Fish.', labels: ['kind'] };

beforeEach(() => {
  registry = new MetricRegistry(new FakeClock());
});

function samples(text = renderPrometheus(registry)): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('counters, gauges and what is only looked at, by name and label set', () => {
  registry.counter(spec).with('cod').add(2);
  registry.counter(spec).with('eel').add(0.5);
  registry.gauge({ name: 'depth_meters', help: 'Depth.' }).with().set(-3);
  const end = registry.observe('gauge', { name: 'boats', help: 'Boats.' }, (sample) => sample(4));
  registry.observe('gauge', { name: 'boats', help: 'Boats.' }, (sample) => sample(1));
  expect(samples()).toEqual(['boats 5', 'depth_meters -3', 'fish_total{kind="cod"} 2', 'fish_total{kind="eel"} 0.5']);
  end();
  expect(samples()[0]).toBe('boats 1');
});

test('a value on a bound belongs below it, and buckets add up', () => {
  const sizes = registry.histogram({ name: 'size', help: 'Size.', buckets: [1, 2.5] }).with();
  for (const value of [1, 1.5, 2.5, 9]) sizes.observe(value);
  expect(samples()).toEqual([
    'size_bucket{le="1.0"} 1',
    'size_bucket{le="2.5"} 3',
    'size_bucket{le="+Inf"} 4',
    'size_sum 14',
    'size_count 4',
  ]);
});

test('what is in a label or a help text cannot end it', () => {
  registry
    .counter({ ...spec, help: 'a\\b\nc"d' })
    .with('x"\\\n')
    .add(1);
  expect(renderPrometheus(registry)).toBe(
    '# HELP fish_total a\\\\b\\nc"d\n# TYPE fish_total counter\nfish_total{kind="x\\"\\\\\\n"} 1\n',
  );
});

test('in OpenMetrics a counter loses its _total in its description, one without has no type, and exemplars show', () => {
  registry.counter(spec).with('cod').add(1);
  registry.counter({ name: 'nv_fish', help: 'Theirs.' }).with().add(1);
  const size = registry.histogram({ name: 'size', help: 'Size.', buckets: [1] }).with();
  size.observe(0.5, {
    wire: Buffer.concat([Buffer.alloc(16, 1), Buffer.alloc(8, 2), Buffer.from([1])]),
  });
  size.observe(7);
  expect(renderOpenMetrics(registry)).toBe(
    [
      '# HELP fish Fish.',
      '# TYPE fish counter',
      'fish_total{kind="cod"} 1',
      '# HELP nv_fish Theirs.',
      '# TYPE nv_fish unknown',
      'nv_fish 1',
      '# HELP size Size.',
      '# TYPE size histogram',
      `size_bucket{le="1.0"} 1 # {trace_id="${'01'.repeat(16)}",span_id="${'02'.repeat(8)}"} 0.5 0.000`,
      'size_bucket{le="+Inf"} 2',
      'size_sum 7.5',
      'size_count 2',
      '# EOF',
      '',
    ].join('\n'),
  );
  expect(renderPrometheus(registry)).not.toContain(' # {');
});

test('label sets are bounded: what comes beyond is counted together', () => {
  const family = registry.counter(spec);
  for (let i = 0; i < 3000; i += 1) family.with(`kind ${i}`).add(1);
  const lines = samples();
  expect(lines).toHaveLength(2001);
  expect(lines.at(-1)).toBe('fish_total{kind="other"} 1000');
});

test('one metric cannot be two', () => {
  registry.counter(spec);
  expect(() => registry.gauge(spec)).toThrow('declared twice');
  expect(() => registry.counter({ ...spec, labels: ['size'] })).toThrow('declared twice');
  expect(() => registry.counter(spec).with('a', 'b')).toThrow('has 1 labels, not 2');
});

test('a version goes on counting over a reload, and is forgotten after many others', () => {
  const family = registry.counter(spec);
  const versions = new VersionSets(
    ({ model }) => family.with(model),
    ({ model }) => family.remove(model),
  );
  const name = { model: 'm', version: '1' };
  versions.acquire(name).add(1);
  versions.acquire(name).add(1);
  versions.release(name);
  versions.release(name);
  expect(samples()).toEqual(['fish_total{kind="m"} 2']);
  for (let i = 0; i < 63; i += 1) {
    versions.acquire({ model: `other ${i}`, version: '1' });
    versions.release({ model: `other ${i}`, version: '1' });
  }
  versions.acquire(name).add(1);
  const others = (prefix: string, count: number) => {
    for (let i = 0; i < count; i += 1) {
      versions.acquire({ model: `${prefix} ${i}`, version: '1' });
      versions.release({ model: `${prefix} ${i}`, version: '1' });
    }
  };
  // It serves again.
  others('between', 100);
  expect(samples()[0]).toBe('fish_total{kind="m"} 3');
  versions.release(name);
  for (let i = 0; i < 64; i += 1) {
    versions.acquire({ model: `another ${i}`, version: '1' });
    versions.release({ model: `another ${i}`, version: '1' });
  }
  expect(samples().filter((line) => line.includes('"m"'))).toEqual([]);
  expect(samples()).toHaveLength(64);
});
