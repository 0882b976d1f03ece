import { seededRandom } from '@shoal/core';
import { RequestSampler, type TraceDefaults } from '@shoal/telemetry';
import { TraceSettings } from './trace-settings';

let settings: TraceSettings;

beforeEach(() => {
  settings = new TraceSettings();
});

test('the keys of the OpenTelemetry mode; nothing is traced at first', () => {
  expect(settings.get('')).toEqual({
    trace_mode: ['opentelemetry'],
    trace_level: ['OFF'],
    trace_rate: ['1000'],
    trace_count: ['-1'],
    url: [''],
    bsp_max_queue_size: ['2048'],
    bsp_schedule_delay: ['5000'],
    bsp_max_export_batch_size: ['512'],
  });
});

test('a model follows the server but for its own settings, until they are cleared', () => {
  settings.update('m', { trace_rate: ['5'] });
  settings.update('', { trace_level: ['TENSORS', 'TIMESTAMPS'], trace_rate: ['7'] });
  expect(settings.get('m')).toMatchObject({ trace_rate: ['5'], trace_level: ['TIMESTAMPS', 'TENSORS'] });
  expect(settings.get('other')).toMatchObject({ trace_rate: ['7'] });
  settings.update('m', { trace_rate: [] });
  expect(settings.get('m')).toMatchObject({ trace_rate: ['7'] });
  settings.update('', { trace_rate: [] });
  expect(settings.get('m')).toMatchObject({ trace_rate: ['1000'], trace_level: ['TIMESTAMPS', 'TENSORS'] });
});

test.each([
  [{ trace_file: ['x'] }, 'UNIMPLEMENTED', 'trace file location can not be updated through network protocol'],
  [{ trace_rate: ['many'] }, 'INVALID_ARGUMENT', "Unable to parse 'trace_rate', got: many"],
  [{ trace_rate: ['1', '2'] }, 'INVALID_ARGUMENT', "expect only 1 value for 'trace_rate'"],
  [
    { trace_rate: ['99999999999'] },
    'INVALID_ARGUMENT',
    "Unable to parse 'trace_rate', value is out of range [ 0, 4294967295 ], got: 99999999999",
  ],
  [{ trace_count: ['-2'] }, 'INVALID_ARGUMENT', "Unable to parse 'trace_count'. Expecting value >= -1, got: -2"],
  [{ trace_level: ['OFF', 'TENSORS'] }, 'INVALID_ARGUMENT', "Expect only one trace level 'OFF' is specified"],
  [{ log_frequency: ['x'] }, 'INVALID_ARGUMENT', "Unable to parse 'log_frequency', got: x"],
])('%j is refused and nothing changes', (changes, code, message) => {
  const before = settings.get('');
  expect(() => settings.update('', { ...changes, trace_mode: ['triton'] })).toThrow(
    expect.objectContaining({ code, message }),
  );
  expect(settings.get('')).toEqual(before);
});

test('unknown keys and the exporter’s are ignored', () => {
  settings.update('', { nonsense: ['1'], url: ['http://evil'], trace_mode: ['triton'] });
  expect(settings.get('')).toMatchObject({ url: [''], trace_mode: ['opentelemetry'] });
  expect(settings.get('')).not.toHaveProperty('nonsense');
});

describe('what the settings make of requests', () => {
  const callers = Buffer.alloc(16, 1);

  function target(given: TraceDefaults['settings'], ratio = 1) {
    const sampler = new RequestSampler({ parentBased: true, ratio }, seededRandom(1));
    const defaults = { settings: given, url: 'http://c:4318', queueSpans: 10, batchSpans: 5, delayMs: 20 };
    return { sampler, settings: new TraceSettings({ sampler, defaults }) };
  }

  function drawn(sampler: RequestSampler, model: string, requests = 6): string {
    return Array.from({ length: requests }, () => (sampler.root(model) ? 'x' : '.')).join('');
  }

  test('first values are those of the command line; what is missing is Triton’s', () => {
    const { sampler, settings: own } = target({ level: ['TIMESTAMPS'], rate: '2' });
    expect(own.get('')).toEqual({
      trace_mode: ['opentelemetry'],
      trace_level: ['TIMESTAMPS'],
      trace_rate: ['2'],
      trace_count: ['-1'],
      url: ['http://c:4318'],
      bsp_max_queue_size: ['10'],
      bsp_schedule_delay: ['20'],
      bsp_max_export_batch_size: ['5'],
    });
    expect(drawn(sampler, 'm')).toBe('.x.x.x');
    const { sampler: off } = target({});
    expect([drawn(off, 'm'), off.child('m', true, callers)]).toEqual(['......', false]);
    expect(() => target({ rate: 'many' })).toThrow("Unable to parse 'trace_rate', got: many");
  });

  test('without any the environment decides, and the nearest setting is shown', () => {
    const { sampler, settings: own } = target(undefined, 0.25);
    expect(own.get('')).toMatchObject({ trace_level: ['TIMESTAMPS'], trace_rate: ['4'], trace_count: ['-1'] });
    expect(drawn(sampler, 'm', 200)).not.toBe('...x'.repeat(50));
    own.update('', { trace_rate: ['4'] });
    expect(drawn(sampler, 'm', 8)).toBe('...x...x');
    own.update('', { trace_rate: [] });
    expect(drawn(sampler, 'm', 200)).not.toBe('...x'.repeat(50));
    expect(target(undefined, 0).settings.get('')).toMatchObject({ trace_level: ['OFF'], trace_rate: ['1000'] });
  });

  test('a change has its effect at once; the count that is shown is what is left', () => {
    const { sampler, settings: own } = target({ level: ['TIMESTAMPS'], rate: '1' });
    own.update('', { trace_count: ['2'] });
    expect(own.get('m')).toMatchObject({ trace_count: ['2'] });
    expect(drawn(sampler, 'm')).toBe('xx....');
    expect(own.get('m')).toMatchObject({ trace_count: ['0'] });
    own.update('', { trace_count: ['2'] });
    expect(drawn(sampler, 'm')).toBe('xx....');
    own.update('', { trace_level: ['OFF'] });
    expect(sampler.child('m', true, callers)).toBe(false);
  });

  test('a model’s own setting, on top of the server’s as that stands', () => {
    const { sampler, settings: own } = target({ level: ['TIMESTAMPS'], rate: '1' });
    own.update('own', { trace_count: ['3'] });
    own.update('other', { trace_rate: ['3'] });
    expect([drawn(sampler, 'own', 2), drawn(sampler, 'm', 2)]).toEqual(['xx', 'xx']);
    expect(own.get('own')).toMatchObject({ trace_count: ['1'] });
    // The server's change reaches both, and whoever is the same afterwards goes on counting.
    own.update('', { trace_level: ['TIMESTAMPS', 'TENSORS'] });
    expect(drawn(sampler, 'own')).toBe('x.....');
    own.update('', { trace_level: ['OFF'] });
    expect(['own', 'other', 'm'].map((model) => drawn(sampler, model))).toEqual(['......', '......', '......']);
    own.update('other', { trace_level: ['TIMESTAMPS'] });
    expect(['other', 'm'].map((model) => drawn(sampler, model))).toEqual(['..x..x', '......']);
    own.update('other', { trace_level: [], trace_rate: [] });
    expect(drawn(sampler, 'other')).toBe('......');
  });
});
