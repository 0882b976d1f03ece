import type { CloseReason } from '@shoal/http2';

/** What users are told of errors of sockets, names and TLS, by Node's code for them. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EAI_AGAIN: 'its name cannot be looked up now',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOENT: 'there is no such socket',
  ENOTFOUND: 'its name is not known',
  EPIPE: 'the connection was reset',
  EPROTO: 'the TLS handshake failed',
  ETIMEDOUT: 'it does not answer',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted',
};

/** In the words of users: why there is no connection. */
export function reasonOfError(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  const known = reasons[code];
  if (known !== undefined) return known;
  if (/^ERR_SSL.*ALERT/.test(code)) return `it ended the TLS handshake (${code.replace(/^ERR_SSL_/, '')})`;
  return code === '' ? 'the connection failed' : `the connection failed (${code})`;
}

/** The same for a connection that was made, and has ended before the server said a word of HTTP/2. */
export function reasonOfClose({ code, message, cause }: CloseReason): string {
  if (cause !== undefined && code === 'CONNECT_ERROR') return reasonOfError(cause);
  return code === 'PROTOCOL_ERROR' || code === 'FRAME_SIZE_ERROR' ? 'it does not speak HTTP/2' : message;
}
