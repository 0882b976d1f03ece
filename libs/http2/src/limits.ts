import { ShoalError } from '@shoal/core';
import { maxMaxFrameSize, maxWindow, minMaxFrameSize } from './frames/constants';

/** Everything that bounds a connection. Times in milliseconds, sizes in bytes; a time of 0 means never. */
export interface Http2Limits {
  /** Streams a peer may have open, streams whose handlers still work included (RFC 9113 §5.1.2). */
  readonly maxConcurrentStreams: number;
  /** Unconsumed bytes a stream may hold: the window we grant it. */
  readonly streamWindow: number;
  /** Unconsumed bytes of all streams together. */
  readonly connectionWindow: number;
  /** Largest frame we accept. */
  readonly maxFrameSize: number;
  /** Octets of a compressed header block, over all its frames. */
  readonly maxHeaderBlock: number;
  /** CONTINUATION frames of a block. */
  readonly maxContinuations: number;
  /** A decoded header list by HPACK's count; above it a request is answered 431. */
  readonly maxHeaderList: number;
  /** Our HPACK decoder's table by HPACK's count. */
  readonly headerTable: number;
  readonly glitchBurst: number;
  readonly glitchesPerSecond: number;
  readonly resetBurst: number;
  readonly resetsPerSecond: number;
  /** Bytes in the socket's queue from which on DATA waits. */
  readonly highWaterBytes: number;
  /** Bytes in the socket's queue that end the connection. */
  readonly maxPendingBytes: number;
  /** DATA held back by windows or the socket from which on new streams are refused. */
  readonly maxQueuedBytes: number;
  /** From connecting to settings exchanged. */
  readonly handshakeTimeoutMs: number;
  /** A header block or a frame other than DATA must be whole this soon. */
  readonly frameTimeoutMs: number;
  /** A connection without streams is closed, with notice. */
  readonly idleTimeoutMs: number;
  /** Output the socket does not take, and DATA a window does not let pass, must make progress this often. */
  readonly stallTimeoutMs: number;
  /** A quiet peer is asked for a sign of life this often. */
  readonly keepAliveMs: number;
  /** How long it may take to give one. */
  readonly keepAliveTimeoutMs: number;
  /** A connection is closed, with notice, at this age, give or take a tenth. */
  readonly maxAgeMs: number;
  /** How long streams may go on after that notice. */
  readonly maxAgeGraceMs: number;
}

interface Range {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

const day = 86_400_000;

const ranges: Record<keyof Http2Limits, Range> = {
  // Enough for the deepest batching queue a client may want; each stream costs some hundred bytes.
  maxConcurrentStreams: { default: 1024, min: 1, max: 1_000_000 },
  // A large tensor in flight without waiting for the peer's round trip: 8 MiB is 1 Gbit/s over 64 ms.
  streamWindow: { default: 8 << 20, min: 0, max: maxWindow },
  connectionWindow: { default: 64 << 20, min: 65_535, max: maxWindow },
  // The protocol's default. Larger ones gain whoever sends tensors a little; DATA is handed on as it comes in any case.
  maxFrameSize: { default: minMaxFrameSize, min: minMaxFrameSize, max: maxMaxFrameSize },
  // Twice the list: nobody's encoder makes a list longer. At most what the buffer for Huffman strings has room for.
  maxHeaderBlock: { default: 32_768, min: 1024, max: 40_960 },
  // A block of maxHeaderBlock takes two frames; CVE-2024-27316 was about unlimited ones.
  maxContinuations: { default: 16, min: 1, max: 1024 },
  // gRPC implementations allow 8 to 16 KiB of metadata.
  maxHeaderList: { default: 16_384, min: 256, max: 1 << 20 },
  // The protocol's default.
  headerTable: { default: 4096, min: 0, max: 65_536 },
  // Far above what gRPC libraries need (pings, settings, tiny window updates), far below what costs anything.
  glitchBurst: { default: 2000, min: 10, max: 1e9 },
  glitchesPerSecond: { default: 1000, min: 0, max: 1e9 },
  // A full house of streams that a client gives up at once (a deadline, a lost upstream) is no attack.
  resetBurst: { default: 1100, min: 1, max: 1e9 },
  resetsPerSecond: { default: 200, min: 0, max: 1e9 },
  // A socket busy for a millisecond; more would only be memory.
  highWaterBytes: { default: 1 << 20, min: 1024, max: 1 << 30 },
  // Headers and control frames pass the high-water mark; 16 MiB of them unread is a peer that does not read.
  maxPendingBytes: { default: 16 << 20, min: 65_536, max: 1 << 30 },
  maxQueuedBytes: { default: 64 << 20, min: 1, max: 2 ** 40 },
  handshakeTimeoutMs: { default: 10_000, min: 0, max: day },
  frameTimeoutMs: { default: 10_000, min: 0, max: day },
  // gRPC clients go idle after half an hour themselves.
  idleTimeoutMs: { default: 3_600_000, min: 0, max: 30 * day },
  // A consumer in a debugger may pause its stream for a while; one that never goes on must not hold memory for ever.
  stallTimeoutMs: { default: 120_000, min: 0, max: 30 * day },
  // gRPC's defaults for servers: two hours, twenty seconds.
  keepAliveMs: { default: 7_200_000, min: 0, max: 30 * day },
  keepAliveTimeoutMs: { default: 20_000, min: 1, max: day },
  // Off unless a load balancer wants connections to move.
  maxAgeMs: { default: 0, min: 0, max: 365 * day },
  maxAgeGraceMs: { default: 600_000, min: 0, max: 30 * day },
};

/** Defaults for what is left out; throws INVALID_ARGUMENT for what is out of range. */
export function compileLimits(given: Partial<Http2Limits> = {}): Http2Limits {
  const limits: Record<string, number> = {};
  for (const [name, range] of Object.entries(ranges)) {
    const value = given[name as keyof Http2Limits] ?? range.default;
    if (!Number.isInteger(value) || value < range.min || value > range.max) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `${name} must be a whole number from ${range.min} to ${range.max}, not ${value}`,
      );
    }
    limits[name] = value;
  }
  return Object.freeze(limits) as unknown as Http2Limits;
}
