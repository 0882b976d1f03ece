import { ShoalError } from '@shoal/core';
import { checkUnixPath, unixPath } from '../../unix-socket';

/** Whom a client asks. */
export interface Target {
  /** As it was given, for messages. */
  readonly text: string;
  /** For `net.connect`. */
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  /** What the requests' `:authority` says. */
  readonly authority: string;
  /** The name a certificate must have; undefined where the address is an IP's, which stands for itself. */
  readonly name: string | undefined;
}

/**
 * Reads `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`.
 * @throws ShoalError INVALID_ARGUMENT
 */
export function parseTarget(text: string): Target {
  const path = unixPath(text);
  if (path !== undefined) {
    checkUnixPath(path);
    return { text, address: { path }, authority: 'localhost', name: 'localhost' };
  }
  const parts = /^(?:\[([\da-fA-F:.]+(?:%[^\]]+)?)\]|([^\s:/?#@[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (!parts || port < 1 || port > 65_535) {
    throw new ShoalError('INVALID_ARGUMENT', `'${text}' is no address: it is not HOST:PORT, [IPv6]:PORT or unix:PATH`);
  }
  const host = parts[1] ?? parts[2] ?? '';
  const isIp = parts[1] !== undefined || /^[\d.]+$/.test(host);
  return { text, address: { host, port }, authority: text, name: isIp ? undefined : host };
}
