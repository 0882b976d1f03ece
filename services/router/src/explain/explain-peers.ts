import { type Bus, type ExplainabilityAnnouncement, explainabilityPrefix } from '@shoal/bus';
import { ShoalError } from '@shoal/core';
import { type ClientTlsOptions, type Renewable, type RpcClient, createClient } from '@shoal/rpc';

/** Notices an instance that hangs. */
const keepaliveMs = 10_000;

/** An instance, while a call is handed on to it. */
export interface ExplainPeer {
  readonly client: RpcClient;
  /** The call has ended; once. */
  release(): void;
}

interface Known {
  readonly client: RpcClient;
  readonly address: string;
  calls: number;
}

/** The explainability instances that are announced, with a connection to each that is used. */
export class ExplainPeers {
  readonly #known = new Map<string, Known>();
  readonly #unwatch: () => void;

  /** @param tls of links to other machines; undefined: they are not encrypted */
  constructor(bus: Bus, tls: Renewable<ClientTlsOptions> | undefined) {
    this.#unwatch = bus.watch<ExplainabilityAnnouncement>(explainabilityPrefix, (key, value) => {
      const known = this.#known.get(key);
      if (known && known.address === value?.address) return;
      known?.client.close();
      this.#known.delete(key);
      if (!value) return;
      const options = { passthrough: true, keepaliveMs, ...(tls && { tls }) };
      this.#known.set(key, { client: createClient(value.address, options), address: value.address, calls: 0 });
    });
  }

  /** The one with the fewest calls from here. @throws ShoalError UNAVAILABLE when there is none */
  take(): ExplainPeer {
    let best: Known | undefined;
    for (const one of this.#known.values()) if (!best || one.calls < best.calls) best = one;
    if (!best) {
      throw new ShoalError(
        'UNAVAILABLE',
        'no explainability service is there to explain anything: `shoal explainability --nats URL` adds one to a cluster, and `shoal serve` has one unless --explain=false',
      );
    }
    const taken = best;
    taken.calls += 1;
    return {
      client: taken.client,
      release: () => {
        taken.calls -= 1;
      },
    };
  }

  close(): void {
    this.#unwatch();
    for (const { client } of this.#known.values()) client.close();
    this.#known.clear();
  }
}
