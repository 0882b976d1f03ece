const dayMs = 86_400_000;
/** From so many days before its end on, a certificate is told of each day: those that are renewed at two thirds of 90 days never are. */
const soonDays = 14;

/** Says when a certificate's end is near: once a day. */
export class ExpiryNotice {
  #toldAt = Number.NEGATIVE_INFINITY;

  /**
   * What to tell now, if anything.
   * @param expiry end of validity in ms on the wall clock, as `nowMs`
   */
  due(expiry: number, nowMs: number): { readonly text: string; readonly daysLeft: number } | undefined {
    const daysLeft = Math.floor((expiry - nowMs) / dayMs);
    if (daysLeft >= soonDays || nowMs - this.#toldAt < dayMs) return undefined;
    this.#toldAt = nowMs;
    const text = expiry <= nowMs ? 'the certificate has expired' : 'the certificate expires soon';
    return { text, daysLeft };
  }

  /** There is another certificate. */
  reset(): void {
    this.#toldAt = Number.NEGATIVE_INFINITY;
  }
}
