import { ShoalError } from '@shoal/core';
import { isIP } from 'node:net';
import type { RouterConfig } from '../flags';
import { readAuthFile } from './follow-auth-file';
import { Restrictions } from './restrictions';

/**
 * Refuses, before anything is started, what would let anybody in unasked, and access rules that cannot be understood.
 * @throws ShoalError INVALID_ARGUMENT with the way out.
 */
export function checkAccess(config: RouterConfig): void {
  const { allowGrpc, grpcAddress, authFile, allowUnauthenticated, grpcRestrictedProtocol } = config;
  void new Restrictions(grpcRestrictedProtocol);
  if (authFile !== '') readAuthFile(authFile);
  else if (allowGrpc && !allowUnauthenticated && !isLoopback(grpcAddress)) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `--grpc-address=${grpcAddress}: others than this machine can reach that, and nobody is asked who they are: --auth-file=FILE says ` +
        'who may call (docs/access.md), or --allow-unauthenticated=true lets everybody do everything',
    );
  }
}

/** Whether only this machine reaches what listens at `address`. A name that is not `localhost` may be anything. */
export function isLoopback(address: string): boolean {
  const host = address.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (host === 'localhost') return true;
  const four = host.replace(/^::ffff:(?=\d+\.)/, '');
  if (isIP(four) === 4) return four.startsWith('127.');
  return isIP(host) === 6 && /^(?:0*:)*:?0*1$/.test(host);
}
