import { BlockList, isIP } from 'node:net';
import { isLoopback } from '@shoal/config';
import { ShoalError } from '@shoal/core';

const everywhere = new BlockList();
everywhere.addAddress('0.0.0.0', 'ipv4');
everywhere.addAddress('::', 'ipv6');

/**
 * Refuses what cannot be announced, and, unless it is allowed, what other machines can reach.
 * @param host An address or name, IPv6 without or with brackets.
 * @param allowOpen Links are authenticated, or it is said that they need not be.
 * @throws ShoalError INVALID_ARGUMENT
 */
export function checkLinkHost(flag: string, host: string, allowOpen: boolean): void {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare === '' || isEverywhere(bare)) {
    const wanted = 'expected the address at which the other processes reach this one';
    throw new ShoalError('INVALID_ARGUMENT', `--${flag}=${host}: ${wanted}`);
  }
  if (allowOpen || isLoopback(bare)) return;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    `--${flag}=${host}: other machines may reach this address: --link-cert, --link-key and --link-ca have links encrypted and authenticated; ` +
      'without, --allow-open-links=true allows it, on a network of the cluster’s own',
  );
}

/** The host of HOST:PORT. @throws ShoalError INVALID_ARGUMENT */
export function hostOf(flag: string, address: string): string {
  const found = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(address);
  if (found === null || Number(found[2]) > 65_535) {
    throw new ShoalError('INVALID_ARGUMENT', `--${flag}=${address}: expected HOST:PORT`);
  }
  return found[1] as string;
}

/** The address that stands for all of a machine's own, in any spelling that systems take: 0, 0x0.0 */
export function isEverywhere(host: string): boolean {
  return isIP(host) === 0
    ? /^(?:0x)?0+(?:\.(?:0x)?0+)*$/i.test(host)
    : everywhere.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}
