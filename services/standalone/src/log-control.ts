import type { ConfigOf } from '@shoal/config';
import type { LogControl } from '@shoal/telemetry';
import type { processFlags } from './flags';

/** What is logged at first; clients may change it later. */
export function logControlOf(config: ConfigOf<typeof processFlags>): LogControl {
  return {
    info: config.logInfo,
    warn: config.logWarning,
    error: config.logError,
    verboseLevel: config.logVerbose,
    requests: config.logRequests,
  };
}
