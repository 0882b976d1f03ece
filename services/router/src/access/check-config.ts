import { isLoopback } from '@shoal/config';
import { ShoalError } from '@shoal/core';
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
