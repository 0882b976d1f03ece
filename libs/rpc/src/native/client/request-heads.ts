import { PreparedHeaders } from '@shoal/http2';
import { acceptedEncodings } from '../wire/compression';
import { formatTimeout } from '../wire/timeout';
import type { Target } from './target';

type Compression = 'gzip' | 'deflate' | undefined;

const userAgent = 'grpc-shoal/0.0.0';
/** A client calls a few dozen methods; one that makes up paths does not fill the memory. */
const maxHeads = 1000;

/** The request headers that calls of a method share: after the first call they cost a byte or two each. */
export class RequestHeads {
  readonly #authority: string;
  readonly #scheme: string;
  readonly #plain = new Map<string, PreparedHeaders>();
  readonly #compressed = new Map<string, PreparedHeaders>();

  constructor(target: Target, secure: boolean, serverName: string | undefined) {
    this.#authority = serverName ?? target.authority;
    this.#scheme = secure ? 'https' : 'http';
  }

  of(path: string, compression: Compression): PreparedHeaders {
    const heads = compression === undefined ? this.#plain : this.#compressed;
    const key = compression === undefined ? path : compression + path;
    let head = heads.get(key);
    if (head === undefined) {
      if (heads.size >= maxHeads) heads.clear();
      head = this.#prepare(path, compression);
      heads.set(key, head);
    }
    return head;
  }

  #prepare(path: string, compression: Compression): PreparedHeaders {
    const pairs = [':method', 'POST', ':scheme', this.#scheme, ':path', path, ':authority', this.#authority];
    pairs.push('te', 'trailers', 'content-type', 'application/grpc', 'user-agent', userAgent);
    pairs.push('grpc-accept-encoding', acceptedEncodings);
    if (compression !== undefined) pairs.push('grpc-encoding', compression);
    return new PreparedHeaders(pairs);
  }
}

/** Header pairs of `grpc-timeout`, kept while calls ask for the same. */
export class TimeoutPairs {
  #ms = Number.NaN;
  #pairs: readonly string[] = [];

  of(leftMs: number): readonly string[] {
    const ms = Math.ceil(leftMs);
    if (ms !== this.#ms) {
      this.#ms = ms;
      this.#pairs = ['grpc-timeout', formatTimeout(ms)];
    }
    return this.#pairs;
  }
}
