/** Own beats that have to come back without one of another's before that one counts as gone. At one a second: 4 to 5 s. */
export const beatsToLose = 5;
/** How often a bus says that it lives, in milliseconds. */
export const beatMs = 1000;

/**
 * Who lives, judged by the beats that each bus sends to all, itself included. Time is counted in own beats that came back: with
 * NATS down, or while this process itself stands still, none do, and so nobody is given up. The server's clock and its
 * ideas of expiry have no part in it. A pure state machine.
 */
export class Presence {
  readonly #self: string;
  /** Who lives → own beats heard when they were heard last. */
  readonly #heard = new Map<string, number>();
  /** Who is known to live by other means → how many say so. */
  readonly #vouched = new Map<string, number>();
  readonly #changed: (owner: string, lives: boolean) => void;
  #beats = 0;
  #lastAt = -Infinity;

  constructor(self: string, changed: (owner: string, lives: boolean) => void) {
    this.#self = self;
    this.#changed = changed;
  }

  /** Own beats that came back so far. */
  get beats(): number {
    return this.#beats;
  }

  lives(owner: string): boolean {
    return owner === this.#self || this.#heard.has(owner) || this.#vouched.has(owner);
  }

  /** Whether somebody says that it lives. */
  isVouched(owner: string): boolean {
    return this.#vouched.has(owner);
  }

  /** It lives, heard or not, until the returned function is called or it says goodbye. */
  vouch(owner: string): () => void {
    this.#vouched.set(owner, (this.#vouched.get(owner) ?? 0) + 1);
    let ended = false;
    return () => {
      const count = this.#vouched.get(owner);
      if (ended || count === undefined) return;
      ended = true;
      if (count > 1) this.#vouched.set(owner, count - 1);
      else {
        this.#vouched.delete(owner);
        if (!this.#heard.has(owner)) this.#changed(owner, false);
      }
    };
  }

  /** A beat was heard at `now` (ms). */
  beat(owner: string, now: number): void {
    if (owner !== this.#self) return this.here(owner);
    // Beats that were held up somewhere come all at once, and perhaps before the others': they count as one.
    if (now - this.#lastAt < beatMs / 2) return;
    this.#lastAt = now;
    this.#beats++;
    for (const [other, at] of this.#heard) {
      if (this.#beats - at >= beatsToLose) this.gone(other);
    }
  }

  /** Some other sign of life. */
  here(owner: string): void {
    if (owner === this.#self) return;
    const news = !this.#heard.has(owner);
    this.#heard.set(owner, this.#beats);
    if (news) this.#changed(owner, true);
  }

  /** It said goodbye. */
  left(owner: string): void {
    this.#vouched.delete(owner);
    this.gone(owner);
  }

  /** It is heard no more. */
  gone(owner: string): void {
    if (this.#heard.delete(owner)) this.#changed(owner, false);
  }

  /** A new connection: whoever lives may take a moment to have one too. */
  spareAll(): void {
    for (const owner of this.#heard.keys()) this.#heard.set(owner, this.#beats);
  }
}
