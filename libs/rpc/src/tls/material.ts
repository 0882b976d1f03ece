import { ShoalError } from '@shoal/core';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ClientTlsOptions } from '../client';
import type { TlsOptions } from '../server';
import { type Renewable, mapRenewable } from './renewable';

/** Older versions of TLS have known weaknesses (RFC 8996). */
export const minTlsVersion = 'TLSv1.2';

/** What one side of TLS connections needs. PEM. */
export interface TlsMaterial {
  /** Its own certificate, with those between it and the authority. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Authorities that peers' certificates are checked against. */
  readonly ca?: Buffer;
}

/** For a server. `clientCa`: demands certificates of clients, issued by the material's authorities. */
export function serverTls(
  material: Renewable<TlsMaterial>,
  { clientCa, clientName }: { readonly clientCa: boolean; readonly clientName?: string },
): Renewable<TlsOptions> {
  return mapRenewable(material, ({ cert = Buffer.alloc(0), key = Buffer.alloc(0), ca }) => ({
    cert,
    key,
    ...(clientCa && ca && { clientCa: ca }),
    ...(clientName !== undefined && { clientName }),
  }));
}

/** For a client; `serverName` as in `ClientTlsOptions`. */
export function clientTls(material: Renewable<TlsMaterial>, serverName?: string): Renewable<ClientTlsOptions> {
  return mapRenewable(material, (parts) => ({ ...parts, ...(serverName !== undefined && { serverName }) }));
}

/**
 * Refuses what no connection could be made with: texts that are no PEM, a key that is not the certificate's.
 * @param names how people call the parts: `--grpc-server-cert=FILE`
 * @throws ShoalError INVALID_ARGUMENT
 */
export function checkMaterial({ cert, key, ca }: TlsMaterial, names: Readonly<Record<'cert' | 'key' | 'ca', string>>) {
  const own = cert && parsed(names.cert, 'no certificate in PEM', () => new X509Certificate(cert));
  const secret = key && parsed(names.key, 'no private key in PEM without a passphrase', () => createPrivateKey(key));
  if (ca) parsed(names.ca, 'no certificates in PEM', () => new X509Certificate(ca));
  if (own && secret && !own.checkPrivateKey(secret)) throw wrong(`${names.key} is not the key of ${names.cert}`);
  try {
    createSecureContext({ ...(cert && { cert }), ...(key && { key }), ...(ca && { ca }) });
  } catch (cause) {
    const given = [cert && names.cert, key && names.key, ca && names.ca].filter(Boolean).join(', ');
    throw wrong(`TLS cannot be made of ${given}`, cause);
  }
}

/** Until when the own certificate is good, on the wall clock in ms; undefined without one. */
export function expiryOf({ cert }: TlsMaterial): number | undefined {
  return cert && new Date(new X509Certificate(cert).validTo).getTime();
}

function parsed<T>(name: string, otherwise: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw wrong(`${name} holds ${otherwise}`, cause);
  }
}

function wrong(text: string, cause?: unknown): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', text, { cause });
}
