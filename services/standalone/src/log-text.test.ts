import { type LogControl, createLogger } from '@shoal/telemetry';
import { renderLogLine } from './log-text';

const control: LogControl = { info: true, warn: true, error: true, verboseLevel: 1 };

test('a line of the log becomes one for people', () => {
  const lines: string[] = [];
  const logger = createLogger(control, { write: (line) => void lines.push(renderLogLine(line)) });
  logger.child({ service: 'router' }).info('hello', { port: 8001 });
  logger.warn('care\u001b[2J\nnext');
  expect(lines).toEqual([
    expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z info {2}router: hello {2}port=8001$/),
    expect.stringMatching(/^\S+ WARN {2}shoal: care\\x1b\[2J\\x0anext$/),
  ]);
});
