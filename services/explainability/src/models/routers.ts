import { type Bus, type RouterAnnouncement, routersPrefix } from '@shoal/bus';
import { ShoalError } from '@shoal/core';
import { type ClientTlsOptions, type Renewable, type RpcClient, createClient } from '@shoal/rpc';

/** Doors to the models. */
export interface Routers {
  /**
   * A passthrough client of a router, each time of the next one.
   * @throws ShoalError UNAVAILABLE
   */
  next(): RpcClient;
  close(): void;
}

export interface RouterOptions {
  /** Always these, in place of those that are announced. */
  readonly targets: readonly string[];
  /** For encrypted ones; undefined: trusted are the system's authorities. */
  readonly tls: ClientTlsOptions | Renewable<ClientTlsOptions> | undefined;
  /** Those that `targets` names are encrypted. */
  readonly encrypted: boolean;
}

/** Notices a router that hangs. */
const keepaliveMs = 10_000;

/** Follows the routers of the cluster, with a connection to each that is used. */
export function followRouters(bus: Bus, { targets, tls, encrypted }: RouterOptions): Routers {
  const known = new Map<string, { client: RpcClient; readonly target: string }>();
  function add(key: string, target: string, secure: boolean): void {
    remove(key);
    const options = { passthrough: true, keepaliveMs, ...(secure && { tls: tls ?? {} }) };
    known.set(key, { client: createClient(target, options), target });
  }
  function remove(key: string): void {
    known.get(key)?.client.close();
    known.delete(key);
  }
  for (const target of targets) add(target, target, encrypted);
  const unwatch =
    targets.length > 0
      ? undefined
      : bus.watch<RouterAnnouncement>(routersPrefix, (key, value) => {
          if (value?.address === undefined) remove(key);
          else if (known.get(key)?.target !== value.address) add(key, value.address, value.encrypted ?? false);
        });
  let turn = 0;
  return {
    next() {
      const all = [...known.values()];
      turn = (turn + 1) % Math.max(all.length, 1);
      const one = all[turn];
      if (one) return one.client;
      throw new ShoalError('UNAVAILABLE', 'no router of the cluster can be asked for predictions: none is announced');
    },
    close() {
      unwatch?.();
      for (const key of [...known.keys()]) remove(key);
    },
  };
}
