import { createLocalBus } from '@shoal/bus';
import { ShoalError, seededRandom } from '@shoal/core';
import { type LogControl, RequestSampler } from '@shoal/telemetry';
import { CapturedLog } from '../testing/captured-log';
import { LogSettings } from './log-settings';
import { SharedSettings } from './shared-settings';
import { TraceSettings } from './trace-settings';

const bus = createLocalBus();
const opened: SharedSettings[] = [];

afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

afterAll(() => bus.close());

/** What one router has. */
function open(store = bus.state) {
  const sampler = new RequestSampler({ parentBased: true, ratio: 1 }, seededRandom(1));
  const defaults = { settings: {}, url: '', queueSpans: 1, batchSpans: 1, delayMs: 0 };
  const trace = new TraceSettings({ sampler, defaults });
  const control: LogControl = { info: true, warn: true, error: true, verboseLevel: 0, requests: true };
  const log = new CapturedLog();
  const shared = new SharedSettings(store, trace, control, log.logger);
  opened.push(shared);
  return { sampler, trace, control, shared, log };
}

/** The store tells of changes in a later turn. */
function told(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function drawn(sampler: RequestSampler, model: string): string {
  return Array.from({ length: 4 }, () => (sampler.root(model) ? 'x' : '.')).join('');
}

test('what one router is told holds in the others, and in those that come later, until it is cleared', async () => {
  const [a, b] = [open(), open()];
  a.trace.update('', { trace_level: ['TIMESTAMPS'], trace_rate: ['1'], trace_count: ['6'] });
  await a.shared.shareTrace('');
  a.trace.update('m', { trace_rate: ['2'] });
  await a.shared.shareTrace('m');
  const c = open();
  await told();
  for (const { sampler, trace } of [b, c]) {
    expect([drawn(sampler, 'other'), drawn(sampler, 'm')]).toEqual(['xxxx', '.x.x']);
    expect(trace.get('m')).toMatchObject({ trace_rate: ['2'], trace_level: ['TIMESTAMPS'] });
  }
  // Each counts for itself, and what is told again and is the same goes on counting.
  await b.shared.shareTrace('');
  await told();
  expect([a, b, c].map(({ trace }) => trace.get('')['trace_count'])).toEqual([['6'], ['2'], ['2']]);
  c.trace.update('', { trace_level: [], trace_rate: [], trace_count: [] });
  await c.shared.shareTrace('');
  c.trace.update('m', { trace_rate: [] });
  await c.shared.shareTrace('m');
  const late = open();
  await told();
  expect([a, b, late].map(({ sampler }) => drawn(sampler, 'm'))).toEqual(['....', '....', '....']);
  expect(a.trace.get('m')).toMatchObject({ trace_level: ['OFF'], trace_rate: ['1000'], trace_count: ['-1'] });
});

test('the log’s settings too, but not what only the command line says', async () => {
  const [a, b] = [open(), open()];
  const settings = new LogSettings(a.control);
  settings.update({ log_verbose_level: { parameter_choice: 'uint32_param', uint32_param: 1 } });
  a.control.requests = false;
  await a.shared.shareLog(settings.control);
  const late = open();
  await told();
  for (const { control } of [b, late]) {
    expect(control).toEqual({ info: true, warn: true, error: true, verboseLevel: 1, requests: true });
  }
});

test('a store that is away is told of, and the change holds here', async () => {
  const away = () => Promise.reject(new ShoalError('UNAVAILABLE', 'NATS is away'));
  const one = open({ ...bus.state, put: away, delete: away, watch: () => () => undefined } as typeof bus.state);
  one.trace.update('', { trace_level: ['TIMESTAMPS'], trace_rate: ['1'] });
  await one.shared.shareTrace('');
  expect(drawn(one.sampler, 'm')).toBe('xxxx');
  expect(one.log.lines).toEqual([expect.objectContaining({ settings: 'trace', reason: 'NATS is away' })]);
});
