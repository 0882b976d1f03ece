import type { Clock } from '@shoal/core';
import {
  type ClientTlsOptions,
  type GrpcCarrier,
  type Renewable,
  type RpcClient,
  createClient,
  defaultCarrier,
  unixPath,
} from '@shoal/rpc';

/** Pings on a connection to another machine that is silent, or whose process stands still: it is given up after twice this time, give or take a second. */
const keepaliveMs = 2_000;

/** Within one machine: who vanishes is noticed at once, and who stands still is ended by its supervisor. */
const localKeepaliveMs = 10_000;

/** How often a silent connection at `address` is pinged, and how long the answer may take, in milliseconds. */
export function keepaliveOf(address: string): number {
  return address.startsWith('unix:') ? localKeepaliveMs : keepaliveMs;
}

interface SharedClient {
  readonly client: RpcClient;
  links: number;
}

/** A link's share of a connection. */
export interface ConnectionShare {
  readonly client: RpcClient;
  /** Called once; the last one ends the connection. */
  release(): void;
}

/**
 * The connections that links of one process are opened on: one for each address, so that what a router and a batching
 * instance of the same process tell a runner in one turn, and what it tells them, is one write and one wake-up.
 */
export class Connections {
  readonly #clients = new Map<string, SharedClient>();
  readonly #clock: Clock;
  readonly #carrier: GrpcCarrier;
  readonly #tls: Renewable<ClientTlsOptions> | undefined;

  /** @param tls for connections over TCP */
  constructor(clock: Clock, carrier: GrpcCarrier = defaultCarrier, tls?: Renewable<ClientTlsOptions>) {
    this.#clock = clock;
    this.#carrier = carrier;
    this.#tls = tls;
  }

  share(address: string): ConnectionShare {
    let shared = this.#clients.get(address);
    if (!shared) {
      const tls = unixPath(address) === undefined ? this.#tls : undefined;
      const options = {
        clock: this.#clock,
        carrier: this.#carrier,
        passthrough: true,
        keepaliveMs: keepaliveOf(address),
        ...(tls && { tls }),
      };
      shared = { client: createClient(address, options), links: 0 };
      this.#clients.set(address, shared);
    }
    const mine = shared;
    mine.links += 1;
    return { client: mine.client, release: () => this.#release(address, mine) };
  }

  #release(address: string, shared: SharedClient): void {
    shared.links -= 1;
    if (shared.links > 0) return;
    if (this.#clients.get(address) === shared) this.#clients.delete(address);
    shared.client.close();
  }
}
