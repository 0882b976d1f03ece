import { type Bus, type ExplainabilityAnnouncement, explainabilityPrefix } from '@shoal/bus';
import { type Clock, ShoalError } from '@shoal/core';
import { type ClientTlsOptions, type Renewable, type RpcClient, createClient } from '@shoal/rpc';

/** Notices an instance that hangs. */
const keepaliveMs = 10_000;

/** How long one that did not answer is asked last: until then one that died is announced no more, or another runs in its place. */
const avoidMs = 10_000;

/** An instance, while a call is handed on to it. */
export interface ExplainPeer {
  readonly client: RpcClient;
  /** The call has ended; once. */
  release(): void;
  /** The instance did not answer: others are asked first for a while. */
  avoid(): void;
}

interface Known {
  readonly client: RpcClient;
  readonly address: string;
  calls: number;
  /** Failures, on the clock: the later, the less it is asked. */
  failedAt: number;
}

/** The explainability instances that are announced, with a connection to each that is used. */
export class ExplainPeers {
  readonly #known = new Map<string, Known>();
  readonly #clock: Clock;
  readonly #unwatch: () => void;

  /** @param tls of links to other machines; undefined: they are not encrypted */
  constructor(bus: Bus, clock: Clock, tls: Renewable<ClientTlsOptions> | undefined) {
    this.#clock = clock;
    this.#unwatch = bus.watch<ExplainabilityAnnouncement>(explainabilityPrefix, (key, value) => {
      const known = this.#known.get(key);
      if (known && known.address === value?.address) return;
      known?.client.close();
      this.#known.delete(key);
      if (!value) return;
      const options = { passthrough: true, keepaliveMs, ...(tls && { tls }) };
      const client = createClient(value.address, options);
      this.#known.set(key, { client, address: value.address, calls: 0, failedAt: -Infinity });
    });
  }

  /** As `find`. @throws ShoalError UNAVAILABLE when there is none */
  take(): ExplainPeer {
    const peer = this.find();
    if (peer) return peer;
    throw nobody();
  }

  /**
   * The one with the fewest calls from here, of those that have not failed lately if there are such.
   * @param not has been tried
   */
  find(not?: RpcClient): ExplainPeer | undefined {
    const trusted = this.#clock.now() - avoidMs;
    let best: Known | undefined;
    for (const one of this.#known.values()) {
      if (one.client === not) continue;
      const [worse, better] = best ? [best.failedAt > trusted, one.failedAt > trusted] : [true, false];
      if (!best || (worse && !better) || (worse === better && one.calls < best.calls)) best = one;
    }
    if (!best) return undefined;
    const taken = best;
    taken.calls += 1;
    return {
      client: taken.client,
      release: () => {
        taken.calls -= 1;
      },
      avoid: () => {
        taken.failedAt = this.#clock.now();
      },
    };
  }

  close(): void {
    this.#unwatch();
    for (const { client } of this.#known.values()) client.close();
    this.#known.clear();
  }
}

function nobody(): ShoalError {
  return new ShoalError(
    'UNAVAILABLE',
    'no explainability service is there to explain anything: `shoal explainability --nats URL` adds one to a cluster, and `shoal serve` has one unless --explain=false',
  );
}
