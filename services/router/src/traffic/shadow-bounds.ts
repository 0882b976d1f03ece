/** What shadow requests may occupy at most in one router. */
export interface ShadowLimits {
  readonly requests: number;
  readonly bytes: number;
}

/** Counts what shadow requests occupy. */
export class ShadowBounds {
  readonly #limits: ShadowLimits;
  requests = 0;
  bytes = 0;

  constructor(limits: ShadowLimits) {
    this.#limits = limits;
  }

  /** Counts one more request in, if there is room for it. */
  enter(bytes: number): boolean {
    if (this.requests >= this.#limits.requests || !this.grow(bytes)) return false;
    this.requests += 1;
    return true;
  }

  /** More bytes for a request that is counted in, if there is room for them. */
  grow(bytes: number): boolean {
    if (this.bytes + bytes > this.#limits.bytes) return false;
    this.bytes += bytes;
    return true;
  }

  leave(bytes: number): void {
    this.requests -= 1;
    this.bytes -= bytes;
  }
}
