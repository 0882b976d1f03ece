import { callSeconds } from './buckets';
import type { Histogram } from './histogram';
import type { Family } from './family';
import type { MetricRegistry } from './registry';

/** Records the calls of one method. */
export interface CallMeter {
  /** @param code Of the status: `OK`, `INTERNAL` … */
  ended(code: string, ms: number): void;
}

/** Of the statuses that a server may give, those that are its own failure (semantic conventions for gRPC). */
const serverErrors = new Set(['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS']);

/** Meters of the calls that a server answers, by the methods' paths (`/package.Service/Method`). */
export function serverCallMeters(registry: MetricRegistry): (path: string) => CallMeter {
  const family = registry.histogram({
    name: 'rpc_server_call_duration_seconds',
    help: 'Calls that were answered, from the request’s headers to the status. error_type is empty where the server is not to blame.',
    labels: callLabels,
    buckets: callSeconds,
  });
  return (path) => new MethodMeter(family, path, (code) => serverErrors.has(code));
}

/** Meters of the calls that a client makes. */
export function clientCallMeters(registry: MetricRegistry): (path: string) => CallMeter {
  const family = registry.histogram({
    name: 'rpc_client_call_duration_seconds',
    help: 'Calls that were made of other processes, from their start to their status.',
    labels: callLabels,
    buckets: callSeconds,
  });
  return (path) => new MethodMeter(family, path, (code) => code !== 'OK');
}

const callLabels = ['rpc_method', 'rpc_status_code', 'error_type'] as const;

class MethodMeter implements CallMeter {
  readonly #family: Family<Histogram>;
  readonly #method: string;
  readonly #isError: (code: string) => boolean;
  readonly #byCode = new Map<string, Histogram>();
  /** What most calls have. */
  #ok: Histogram | undefined;

  constructor(family: Family<Histogram>, path: string, isError: (code: string) => boolean) {
    this.#family = family;
    this.#method = path.replace(/^\//, '');
    this.#isError = isError;
  }

  ended(code: string, ms: number): void {
    const histogram = code === 'OK' ? (this.#ok ??= this.#histogram(code)) : this.#histogram(code);
    histogram.observe(ms / 1000);
  }

  #histogram(code: string): Histogram {
    let histogram = this.#byCode.get(code);
    if (histogram === undefined) {
      histogram = this.#family.with(this.#method, code, this.#isError(code) ? code : '');
      this.#byCode.set(code, histogram);
    }
    return histogram;
  }
}
