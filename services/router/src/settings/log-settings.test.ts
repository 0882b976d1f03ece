import type { LogControl } from '@shoal/telemetry';
import { LogSettings } from './log-settings';

let control: LogControl;
let settings: LogSettings;

beforeEach(() => {
  control = { info: true, warn: true, error: true, verboseLevel: 0 };
  settings = new LogSettings(control);
});

test('a change reaches the log', () => {
  settings.update({
    log_info: { parameter_choice: 'bool_param', bool_param: false },
    log_verbose_level: { parameter_choice: 'uint32_param', uint32_param: 2 },
    log_format: { parameter_choice: 'string_param', string_param: 'ISO8601' },
    nonsense: { parameter_choice: 'string_param', string_param: 'x' },
  });
  expect(control).toEqual({ info: false, warn: true, error: true, verboseLevel: 2 });
  expect(settings.get()).toMatchObject({
    log_info: { bool_param: false },
    log_verbose_level: { uint32_param: 2 },
    log_format: { string_param: 'ISO8601' },
  });
});

test.each([
  [
    'log_file',
    { parameter_choice: 'string_param', string_param: 'x.log' },
    'UNIMPLEMENTED',
    'log file location can not be updated through network protocol',
  ],
  [
    'log_info',
    { parameter_choice: 'uint32_param', uint32_param: 1 },
    'INVALID_ARGUMENT',
    "expect boolean for 'log_info'",
  ],
  ['log_warning', {}, 'INVALID_ARGUMENT', "expect boolean for 'log_warning'"],
  [
    'log_verbose_level',
    { parameter_choice: 'bool_param', bool_param: true },
    'INVALID_ARGUMENT',
    "expect int32 for 'log_verbose_level'",
  ],
  [
    'log_format',
    { parameter_choice: 'bool_param', bool_param: true },
    'INVALID_ARGUMENT',
    "expect string for 'log_format'",
  ],
  [
    'log_format',
    { parameter_choice: 'string_param', string_param: 'xml' },
    'INVALID_ARGUMENT',
    'invalid argument for log_format, got: xml',
  ],
] as const)('%s %j is refused and nothing changes', (key, value, code, message) => {
  const other = { log_error: { parameter_choice: 'bool_param', bool_param: false } } as const;
  expect(() => settings.update({ ...other, [key]: value })).toThrow(expect.objectContaining({ code, message }));
  expect(control).toEqual({ info: true, warn: true, error: true, verboseLevel: 0 });
});
