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
