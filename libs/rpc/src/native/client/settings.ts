import type { Http2Limits } from '@shoal/http2';

/** From the first look-up of a name to the server's first word; gRPC's doc/connection-backoff.md. */
export const connectTimeoutMs = 20_000;

/** Larger DATA frames mean fewer of them for a tensor. */
const maxFrameSize = 65_536;
/** Half of what gRPC servers commonly allow a connection to be silent. */
const idleTimeoutMs = 1_800_000;
const dayMs = 86_400_000;

/** A client's limits of its connections. */
export function clientLimits(keepaliveMs: number | undefined): Partial<Http2Limits> {
  const keepAlive = keepaliveMs === undefined ? 0 : Math.min(Math.max(1, Math.round(keepaliveMs)), dayMs);
  return {
    maxFrameSize,
    idleTimeoutMs,
    handshakeTimeoutMs: connectTimeoutMs,
    keepAliveMs: keepAlive,
    ...(keepAlive > 0 && { keepAliveTimeoutMs: keepAlive }),
  };
}
