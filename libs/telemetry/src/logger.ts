import type * as Pino from 'pino';

/** Facts that go with a line; never tensor contents, headers' values, keys or host paths of models. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** A structured log, one JSON line an entry. */
export interface Logger {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Shown when the verbose level is at least `level` (1, 2, …), as Triton's --log-verbose. */
  verbose(level: number, message: string, fields?: LogFields): void;
  /** What must not be missing, whatever is turned off: who changed what. Lines have `"audit":true`. */
  audit(message: string, fields?: LogFields): void;
  /** The same log with `fields` on each line. */
  child(fields: LogFields): Logger;
}

/** What the LogSettings RPC can change while the server runs. */
export interface LogControl {
  info: boolean;
  warn: boolean;
  error: boolean;
  verboseLevel: number;
  /** One line for each request, whatever the verbose level is. */
  requests?: boolean;
}

/** A logger on `destination` (default stderr) that obeys `control` as it stands at each line. */
export function createLogger(control: LogControl, destination?: Pino.DestinationStream): Logger {
  // Not before it is needed: runner processes write no log, and it takes ten megabytes.
  const { pino } = require('pino') as typeof Pino;
  const options = { level: 'trace', base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return wrap(pino(options, destination ?? pino.destination({ dest: 2, sync: true })), control);
}

/** Says nothing: for tests and libraries used without a log. */
export const silentLogger: Logger = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  verbose: () => undefined,
  audit: () => undefined,
  child: () => silentLogger,
};

function wrap(inner: Pino.Logger, control: LogControl): Logger {
  return {
    info: (message, fields) => control.info && inner.info(fields ?? {}, message),
    warn: (message, fields) => control.warn && inner.warn(fields ?? {}, message),
    error: (message, fields) => control.error && inner.error(fields ?? {}, message),
    verbose: (level, message, fields) => control.verboseLevel >= level && inner.debug(fields ?? {}, message),
    audit: (message, fields) => inner.info({ audit: true, ...fields }, message),
    child: (fields) => wrap(inner.child(fields), control),
  };
}
