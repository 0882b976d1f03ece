import { ConnectionFault } from './errors';

export interface BudgetLimits {
  /** Odd but legal things a peer may do in a burst. */
  readonly glitchBurst: number;
  /** Of these, forgiven per second. */
  readonly glitchesPerSecond: number;
  /** Streams that may be reset in a burst, by either side. */
  readonly resetBurst: number;
  readonly resetsPerSecond: number;
}

/** A completed call earns back this much of each budget: honest peers complete most of what they begin. */
const glitchesPerCall = 4;
const resetsPerCall = 0.5;

/**
 * What a peer may cost without doing anything useful. Every known flood (resets, settings, pings, priorities, empty frames, tiny window
 * updates, header lists that are only large) spends one of two numbers; whoever has spent them is asked to calm down and disconnected.
 */
export class Budgets {
  readonly #limits: BudgetLimits;
  #glitches = 0;
  #resets = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Something legal that no peer needs to do often; throws ENHANCE_YOUR_CALM. */
  glitch(weight = 1): void {
    this.#glitches += weight;
    if (this.#glitches > this.#limits.glitchBurst)
      throw new ConnectionFault('ENHANCE_YOUR_CALM', 'too many useless frames');
  }

  /**
   * A stream was reset: by the peer (CVE-2023-44487), or by us because of what the peer did (CVE-2025-8671).
   * Throws ENHANCE_YOUR_CALM.
   */
  reset(): void {
    this.#resets++;
    if (this.#resets > this.#limits.resetBurst)
      throw new ConnectionFault('ENHANCE_YOUR_CALM', 'too many reset streams');
  }

  /** Something useful was done. */
  completed(): void {
    if (this.#resets > 0) this.#resets = Math.max(0, this.#resets - resetsPerCall);
    this.useful(glitchesPerCall);
  }

  useful(weight: number): void {
    if (this.#glitches > 0) this.#glitches = Math.max(0, this.#glitches - weight);
  }

  passed(seconds: number): void {
    this.#glitches = Math.max(0, this.#glitches - seconds * this.#limits.glitchesPerSecond);
    this.#resets = Math.max(0, this.#resets - seconds * this.#limits.resetsPerSecond);
  }
}
