import { ShoalError } from '@shoal/core';
import { type Rate, TokenBucket } from './token-bucket';

/** What one tenant may use, in the whole cluster; undefined = as much as there is. */
export interface Quotas {
  readonly requestsPerSecond: Rate | undefined;
  readonly rowsPerSecond: Rate | undefined;
  readonly bytesPerSecond: Rate | undefined;
  readonly computeMsPerSecond: Rate | undefined;
  readonly maxInFlight: number | undefined;
}

export const noQuotas: Quotas = {
  requestsPerSecond: undefined,
  rowsPerSecond: undefined,
  bytesPerSecond: undefined,
  computeMsPerSecond: undefined,
  maxInFlight: undefined,
};

const units = {
  requestsPerSecond: 'requests/s',
  rowsPerSecond: 'rows/s',
  bytesPerSecond: 'bytes/s',
  computeMsPerSecond: 'ms of compute/s',
} as const;

type RateName = keyof typeof units;

const rateNames = Object.keys(units) as readonly RateName[];

/** Why a request does not pass. */
export interface Refusal {
  readonly error: ShoalError;
  /** When it may be tried again; undefined = when another of the tenant's requests has ended. */
  readonly retryMs: number | undefined;
}

/** What one tenant uses by way of this router, against this router's share of its quotas. It outlives changes of the file. */
export class Usage {
  readonly #name: string;
  readonly #buckets = new Map<RateName, TokenBucket>();
  #quotas = noQuotas;
  #routers = 1;
  #inFlight = 0;

  constructor(name: string) {
    this.#name = name;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** @param routers How many share the quotas. @param now Clock time, ms. */
  change(quotas: Quotas, routers: number, now: number): void {
    this.#quotas = quotas;
    this.#routers = routers;
    for (const name of rateNames) {
      const rate = quotas[name];
      const bucket = this.#buckets.get(name);
      if (rate === undefined) this.#buckets.delete(name);
      else {
        const share = { perSecond: rate.perSecond / routers, burst: rate.burst / routers };
        if (bucket) bucket.change(share, now);
        else this.#buckets.set(name, new TokenBucket(share, now));
      }
    }
  }

  /** Lets a request pass, in flight until `release`, or says why not. */
  admit(rows: number, bytes: number, now: number): Refusal | undefined {
    const { maxInFlight } = this.#quotas;
    if (maxInFlight !== undefined && this.#inFlight >= Math.max(1, Math.floor(maxInFlight / this.#routers))) {
      return { error: this.#over(`${maxInFlight} requests in flight`, 'some are answered'), retryMs: undefined };
    }
    let longest = 0;
    let reached: RateName | undefined;
    for (const [name, bucket] of this.#buckets) {
      const wait = bucket.waitMs(amountOf(name, rows, bytes), now);
      if (wait <= longest) continue;
      longest = wait;
      reached = name;
    }
    if (reached !== undefined) {
      const quota = `${this.#quotas[reached]?.perSecond ?? 0} ${units[reached]}`;
      return { error: this.#over(quota, `${seconds(longest)} have passed`), retryMs: longest };
    }
    for (const [name, bucket] of this.#buckets) bucket.take(amountOf(name, rows, bytes), now);
    this.#inFlight += 1;
    return undefined;
  }

  /** A request that was let pass is over. @param computeMs What it took of a model's time. */
  release(computeMs: number, now: number): void {
    this.#inFlight -= 1;
    if (computeMs > 0) this.#buckets.get('computeMsPerSecond')?.take(computeMs, now);
  }

  #over(quota: string, when: string): ShoalError {
    const share = this.#routers > 1 ? `, of which this router has one part in ${this.#routers}` : '';
    const text = `tenant '${this.#name}' is at its quota of ${quota}${share}; try again when ${when}`;
    return new ShoalError('RESOURCE_EXHAUSTED', text);
  }
}

function amountOf(name: RateName, rows: number, bytes: number): number {
  if (name === 'requestsPerSecond') return 1;
  if (name === 'rowsPerSecond') return rows;
  return name === 'bytesPerSecond' ? bytes : 0;
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 10) / 100} s`;
}
