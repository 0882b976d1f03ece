import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { isIPv6 } from 'node:net';
import { ShoalError } from '@shoal/core';

/** In place of a host: this machine's own address, whatever it is; for containers, which learn theirs when they start. */
export const autoHost = 'auto';

/**
 * The host itself, or for `auto` the first address of this machine that others can reach: IPv4 before IPv6, interfaces in the
 * system's order. IPv6 in brackets.
 * @throws ShoalError INVALID_ARGUMENT when the machine has none.
 */
export function ownHost(
  flag: string,
  host: string,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): string {
  if (host !== autoHost) return host;
  const reachable = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !isLinkLocal(address));
  const found = reachable.find(({ address }) => !isIPv6(address)) ?? reachable[0];
  if (found === undefined) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `--${flag}=${autoHost}: this machine has no address that others can reach; name the one to announce`,
    );
  }
  return isIPv6(found.address) ? `[${found.address}]` : found.address;
}

/** It means something on one wire only. */
function isLinkLocal(address: string): boolean {
  return /^(169\.254\.|fe[89ab])/i.test(address);
}
