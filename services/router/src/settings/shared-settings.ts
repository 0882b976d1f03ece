import type { StateStore } from '@shoal/bus';
import { toShoalError } from '@shoal/core';
import type { LogControl, Logger } from '@shoal/telemetry';
import type { TraceChoice, TraceSettings } from './trace-settings';

/** Under it, and a model's name or nothing: what the server or that model was given by TraceSetting. */
const tracePrefix = 'settings/trace/';
/** The last that LogSettings made of the log. */
export const logSettingsKey = 'settings/log';

/** What LogSettings can change, in all processes. */
export type SharedLogControl = Pick<LogControl, 'info' | 'warn' | 'error' | 'verboseLevel'>;

/**
 * Makes what one router is told by TraceSetting and LogSettings hold in all of the cluster, and in those that start later: the state store
 * keeps it. A store that cannot be reached is no reason to refuse a change, which holds here at once: it is told in the log.
 */
export class SharedSettings {
  readonly #store: StateStore;
  readonly #trace: TraceSettings;
  readonly #logger: Logger;
  readonly #ends: readonly (() => void)[];

  constructor(store: StateStore, trace: TraceSettings, control: LogControl, logger: Logger) {
    this.#store = store;
    this.#trace = trace;
    this.#logger = logger;
    this.#ends = [
      store.watch<TraceChoice>(tracePrefix, (key, entry) => {
        trace.adopt(key.slice(tracePrefix.length), entry?.value ?? {});
      }),
      followLogSettings(store, control),
    ];
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  /** Tells the others what was given to a model, or '' = the server. */
  async shareTrace(model: string): Promise<void> {
    const given = this.#trace.given(model);
    const key = tracePrefix + model;
    await this.#tell('trace', () =>
      Object.keys(given).length > 0 ? this.#store.put(key, given) : this.#store.delete(key),
    );
  }

  async shareLog({ info, warn, error, verboseLevel }: SharedLogControl): Promise<void> {
    await this.#tell('log', () => this.#store.put(logSettingsKey, { info, warn, error, verboseLevel }));
  }

  async #tell(settings: string, write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (thrown) {
      this.#logger.warn('changed settings hold in this process only', {
        settings,
        reason: toShoalError(thrown).message,
      });
    }
  }
}

/** Lets `control` be as LogSettings has last made it, by whichever router. @returns what ends that. */
export function followLogSettings(store: StateStore, control: LogControl): () => void {
  return store.watch<SharedLogControl>(logSettingsKey, (_, entry) => {
    if (!entry) return;
    const { info, warn, error, verboseLevel } = entry.value;
    Object.assign(control, { info, warn, error, verboseLevel });
  });
}
