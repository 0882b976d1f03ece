import type { Http2Limits } from '@shoal/http2';
import type { ServerSettings } from '../../server';

/** Larger DATA frames mean fewer of them for a tensor: two thirds of the CPU that HTTP/2's default of 16 KiB takes. */
const maxFrameSize = 65_536;
const maxTimeMs = 30 * 86_400_000;

/** A server's settings as limits of its connections. */
export function limitsOf(settings: ServerSettings): Partial<Http2Limits> {
  const { keepaliveMs, keepaliveTimeoutMs, maxConnectionAgeMs, maxConnectionAgeGraceMs } = settings;
  return {
    maxFrameSize,
    keepAliveMs: time(keepaliveMs, maxTimeMs) ?? 0,
    ...given('keepAliveTimeoutMs', time(keepaliveTimeoutMs ?? keepaliveMs, 86_400_000)),
    ...given('maxAgeMs', time(maxConnectionAgeMs, 365 * 86_400_000)),
    ...given('maxAgeGraceMs', time(maxConnectionAgeGraceMs, maxTimeMs)),
  };
}

function time(ms: number | undefined, max: number): number | undefined {
  return ms === undefined ? undefined : Math.min(Math.max(1, Math.round(ms)), max);
}

function given(name: keyof Http2Limits, value: number | undefined): Partial<Http2Limits> {
  return value === undefined ? {} : { [name]: value };
}
