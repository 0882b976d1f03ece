import { type ChannelCredentials, ServerCredentials, credentials, experimental } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/core';
import { rootCertificates } from 'node:tls';
import type { RpcClientOptions } from '../client';
import type { TlsOptions } from '../server';
import { type Renewable, isRenewable } from '../tls/renewable';

type Provider = experimental.CertificateProvider;

/** @throws ShoalError INVALID_ARGUMENT for what grpc-js cannot do, or a certificate that cannot be used */
export function serverCredentials(tls: TlsOptions | Renewable<TlsOptions> | undefined): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const { cert, key, clientCa, clientName } = isRenewable(tls) ? tls.current : tls;
  if (clientName !== undefined) {
    throw new ShoalError('INVALID_ARGUMENT', "grpc-js cannot check the name in clients' certificates");
  }
  if (isRenewable(tls)) {
    const own = provider(tls, (value) => value.clientCa);
    const { createCertificateProviderServerCredentials: create } = experimental;
    // The other way round than its types say (1.14.7): own certificate first, then the clients' authorities.
    return clientCa ? create(own, own, true) : create(own, null, false);
  }
  return ServerCredentials.createSsl(
    clientCa ?? null,
    [{ cert_chain: cert, private_key: key }],
    clientCa !== undefined,
  );
}

export function clientCredentials(tls: RpcClientOptions['tls']): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  if (!isRenewable(tls)) return credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null);
  const system = Buffer.from(rootCertificates.join('\n'));
  const own = provider(tls, (value) => value.ca ?? system);
  return experimental.createCertificateProviderChannelCredentials(own, tls.current.cert ? own : null);
}

/** Tells grpc-js of what is renewed, in its own terms. */
function provider<T extends { readonly cert?: Buffer; readonly key?: Buffer }>(
  source: Renewable<T>,
  authorities: (value: T) => Buffer | undefined,
): Provider {
  const ends = new Map<unknown, () => void>();
  function follow<Listener>(listener: Listener, tell: (value: T) => void): void {
    ends.set(listener, source.onRenewed(tell));
    // Later: a server that is told at once does not notice (1.14.7), and takes no connections.
    queueMicrotask(() => ends.has(listener) && tell(source.current));
  }
  function leave(listener: unknown): void {
    ends.get(listener)?.();
    ends.delete(listener);
  }
  return {
    addCaCertificateListener: (listener) =>
      follow(listener, (value) => {
        const caCertificate = authorities(value);
        listener(caCertificate ? { caCertificate } : null);
      }),
    removeCaCertificateListener: leave,
    addIdentityCertificateListener: (listener) =>
      follow(listener, ({ cert, key }) => listener(cert && key ? { certificate: cert, privateKey: key } : null)),
    removeIdentityCertificateListener: leave,
  };
}
