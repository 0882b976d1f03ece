import { ShoalError } from '@shoal/core';
import { type SecureContext, createSecureContext } from 'node:tls';
import type { ClientTlsOptions } from '../../client';
import { minTlsVersion } from '../../tls/material';
import { type Renewable, isRenewable } from '../../tls/renewable';
import type { Dialling } from './attempt';
import type { Target } from './target';

/**
 * TLS for a client's connections: each one is made with what is newest then.
 * @throws ShoalError INVALID_ARGUMENT for certificates that cannot be used
 */
export function secureBy(
  tls: ClientTlsOptions | Renewable<ClientTlsOptions>,
  { name }: Target,
): NonNullable<Dialling['tls']> {
  let used = isRenewable(tls) ? tls.current : tls;
  const serverName = used.serverName ?? name;
  let made: SecureContext;
  try {
    made = contextOf(used);
  } catch (cause) {
    throw new ShoalError('INVALID_ARGUMENT', 'the TLS certificates or the key cannot be used', { cause });
  }
  const context = () => {
    if (isRenewable(tls) && tls.current !== used) {
      used = tls.current;
      made = contextOf(used);
    }
    return made;
  };
  return { context, serverName };
}

function contextOf({ ca, cert, key }: ClientTlsOptions): SecureContext {
  return createSecureContext({
    minVersion: minTlsVersion,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  });
}
