import { type CancelTimer, ShoalError } from '@shoal/core';
import type { KV } from '@nats-io/kv';
import { maxValueBytes, toEntries } from './entry';
import { toBytes } from './payload';
import { type Settings, limited, textOf } from './settings';

/** How long the bucket keeps what nobody announces again: what the dead leave behind. */
export const keepMs = 10 * 60_000;
const againMs = keepMs / 3;
const retryMs = 500;
const atOnce = 64;
/** Withdrawn keys are remembered for as long as somebody may still hold them, but no more than this many. */
const maxWithdrawn = 10_000;

interface Own {
  number: number;
  /** undefined = withdrawn. */
  bytes: Buffer | undefined;
  withdrawnAt: number;
}

/** Keeps this bus's own announcements in the bucket: on each connection all of them, then what changes, and all again before they expire. */
export class Announcer {
  readonly #settings: Settings;
  readonly #own = new Map<string, Own>();
  /** Keys that the bucket does not hold as they are, in the order of their changes. */
  readonly #dirty = new Set<string>();
  readonly #complain: (text: string) => void;
  #kv: KV | undefined;
  #sending = false;
  #number = 0;
  #cancelRetry: CancelTimer = () => undefined;
  #cancelAgain: CancelTimer = () => undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#complain = limited(settings.clock, (problem) =>
      settings.log.warn('announcements cannot be stored in NATS; trying again', { problem }),
    );
  }

  /** Returns the announcement's number. @throws ShoalError RESOURCE_EXHAUSTED for a value that is too large. */
  set(key: string, value: object | undefined): number {
    if (Buffer.byteLength(key) > 1000)
      throw new ShoalError('INVALID_ARGUMENT', 'a key on the bus has at most 1000 bytes');
    const bytes = value === undefined ? undefined : toBytes(key, value, maxValueBytes);
    const number = ++this.#number;
    this.#own.set(key, { number, bytes, withdrawnAt: this.#settings.clock.now() });
    this.#dirty.delete(key);
    this.#dirty.add(key);
    void this.#send();
    return number;
  }

  has(key: string): boolean {
    return this.#own.get(key)?.bytes !== undefined;
  }

  /** A bucket to keep them in. */
  up(kv: KV): void {
    this.#kv = kv;
    this.#all();
  }

  down(): void {
    this.#kv = undefined;
    this.#cancelRetry();
    this.#cancelAgain();
  }

  #all(): void {
    const old = this.#settings.clock.now() - 2 * keepMs;
    let withdrawn = 0;
    for (const [key, own] of [...this.#own].reverse()) {
      if (own.bytes === undefined && (own.withdrawnAt < old || ++withdrawn > maxWithdrawn)) this.#own.delete(key);
    }
    for (const key of this.#own.keys()) this.#dirty.add(key);
    this.#cancelAgain();
    this.#cancelAgain = this.#settings.clock.schedule(againMs * (0.8 + 0.2 * this.#settings.random.next()), () =>
      this.#all(),
    );
    void this.#send();
  }

  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    while (this.#kv !== undefined && this.#dirty.size > 0) {
      const keys = [...this.#dirty].slice(0, atOnce);
      for (const key of keys) this.#dirty.delete(key);
      const kv = this.#kv;
      const failed = (await Promise.all(keys.map((key) => this.#put(kv, key)))).some((problem) => problem);
      if (!failed) continue;
      this.#cancelRetry();
      this.#cancelRetry = this.#settings.clock.schedule(retryMs, () => void this.#send());
      break;
    }
    this.#sending = false;
  }

  /** Whether it failed; then the key is to be sent again. */
  async #put(kv: KV, key: string): Promise<boolean> {
    const own = this.#own.get(key);
    if (own === undefined) return false;
    try {
      // All are under way at once: one connection keeps their order.
      await Promise.all(
        toEntries(this.#settings.owner, key, own.number, own.bytes).map((entry) => kv.put(entry.key, entry.bytes)),
      );
      return false;
    } catch (thrown) {
      if (this.#kv === kv) this.#complain(textOf(thrown));
      this.#dirty.add(key);
      return true;
    }
  }
}
