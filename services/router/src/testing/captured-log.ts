import { type LogControl, type Logger, createLogger } from '@shoal/telemetry';

/** A real logger whose lines a test reads. */
export class CapturedLog {
  text = '';
  readonly control: LogControl = { info: true, warn: true, error: true, verboseLevel: 1 };
  readonly logger: Logger = createLogger(this.control, {
    write: (line: string) => {
      this.text += line;
    },
  });

  get lines(): Record<string, unknown>[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Lines of the audit log, without time and level. */
  get audit(): Record<string, unknown>[] {
    return this.lines
      .filter((line) => line['audit'] === true)
      .map((line) => {
        const { time: _time, level: _level, audit: _audit, msg: _msg, peer: _peer, ...rest } = line;
        return rest;
      });
  }
}
