import { readFileSync } from 'node:fs';
import { checkServerIdentity } from 'node:tls';
import { ShoalError } from '@shoal/core';
import { type NodeConnectionOptions, credsAuthenticator } from '@nats-io/transport-node';
import type { NatsBusOptions, NatsTls } from './settings';

export const connectTimeoutMs = 2_000;
/** A server that says nothing for twice as long is given up. */
const pingMs = 2_000;

/**
 * How to connect to each of the servers. One at a time, since the client does not tell the check of a certificate which one it dials.
 * @throws ShoalError INVALID_ARGUMENT for an URL that is none.
 */
export function connectionOptions({ url, name, tls, credsFile }: NatsBusOptions): NodeConnectionOptions[] {
  const urls = url.split(',').map((text) => parse(text.trim()));
  const user = decodeURIComponent(urls[0]!.username);
  const pass = decodeURIComponent(urls[0]!.password);
  const secure = tls !== undefined || urls.some(({ protocol }) => protocol === 'tls:');
  return urls.map(({ hostname, port }) => ({
    servers: `${hostname}:${port === '' ? '4222' : port}`,
    name,
    reconnect: false,
    ignoreAuthErrorAbort: true,
    timeout: connectTimeoutMs,
    pingInterval: pingMs,
    maxPingOut: 2,
    ...(user !== '' && (pass === '' ? { token: user } : { user, pass })),
    ...(credsFile !== undefined && { authenticator: credsAuthenticator(() => readFileSync(credsFile)) }),
    ...(secure && { tls: tlsOptions(tls ?? {}, hostname) }),
  }));
}

function tlsOptions({ caFile, certFile, keyFile }: NatsTls, hostname: string) {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    ...(caFile && { caFile }),
    ...(certFile && { certFile }),
    ...(keyFile && { keyFile }),
    minVersion: 'TLSv1.2',
    // Left to itself, Node checks a certificate for `localhost` where the address is an IP's: the client upgrades a socket.
    checkServerIdentity: (_: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(host, certificate),
  };
}

function parse(text: string): URL {
  const full = text.includes('://') ? text : `nats://${text}`;
  if (!URL.canParse(full) || !/^(?:nats|tls):\/\/./.test(full) || new URL(full).hostname === '') {
    // Not the text itself: it may hold a password.
    throw new ShoalError('INVALID_ARGUMENT', 'the NATS URL must be nats://HOST:PORT or tls://HOST:PORT');
  }
  return new URL(full);
}
