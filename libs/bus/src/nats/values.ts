import type { KvEntry } from '@nats-io/kv';
import { LocalValues } from '../local-values';
import { Announcer, keepMs } from './announcer';
import { Claims } from './claims';
import { Assembly } from './entry';
import { fromBytes } from './payload';
import { type Presence, beatMs } from './presence';
import { type Settings, limited, textOf } from './settings';

/** Own beats after which what was not announced again is forgotten. */
const forgetBeats = (1.5 * keepMs) / beatMs;

/** All announcements as this bus knows them: the bucket's, judged by who lives, and its own. */
export class Values {
  readonly #settings: Settings;
  readonly #presence: Presence;
  readonly #shown: LocalValues;
  readonly #complain: (text: string) => void;
  readonly announcer: Announcer;
  readonly claims: Claims;
  #assembly = new Assembly();

  constructor(settings: Settings, presence: Presence, onError: (thrown: unknown) => void) {
    this.#settings = settings;
    this.#presence = presence;
    this.#shown = new LocalValues(onError);
    this.announcer = new Announcer(settings);
    this.claims = new Claims(
      (owner) => presence.lives(owner),
      (key, value) => this.#shown.set(key, value),
    );
    this.#complain = limited(settings.clock, (problem) =>
      settings.log.warn('an announcement cannot be read', { problem }),
    );
  }

  announce(key: string, value: object): void {
    this.#own(key, value);
  }

  withdraw(key: string): void {
    if (this.announcer.has(key)) this.#own(key, undefined);
  }

  watch(prefix: string, listener: (key: string, value: object | undefined) => void): () => void {
    return this.#shown.watch(prefix, listener);
  }

  vouch(key: string): () => void {
    const ends = this.claims.owners(key).map((owner) => this.#presence.vouch(owner));
    return () => {
      for (const end of ends) end();
    };
  }

  /** A watch of the bucket begins. */
  begin(): void {
    this.#assembly = new Assembly();
  }

  arrived({ key: entryKey, value: bytes, operation }: KvEntry): void {
    // Nothing is ever deleted by a bus: what a person deletes by hand is announced again.
    if (operation !== 'PUT') return;
    const arrived = this.#assembly.take(entryKey, bytes);
    if (arrived === undefined || arrived.owner === this.#settings.owner) return;
    const { owner, key, number } = arrived;
    if ((this.claims.known(key, owner) ?? 0) >= number) {
      this.claims.confirm(key, owner, this.#presence.beats);
      return;
    }
    try {
      const value = arrived.value === undefined ? undefined : (fromBytes(arrived.value) as object);
      this.claims.set(key, owner, number, value, this.#presence.beats);
    } catch (thrown) {
      this.#complain(textOf(thrown));
    }
  }

  /** An own beat came back. */
  tick(): void {
    const { beats } = this.#presence;
    if (beats % 60 === 0) {
      // Who cannot be heard cannot announce anything again.
      const spared = (owner: string) => owner === this.#settings.owner || this.#presence.isVouched(owner);
      this.claims.forget(beats - forgetBeats, spared);
    }
  }

  close(): void {
    this.announcer.down();
    this.#shown.close();
  }

  #own(key: string, value: object | undefined): void {
    const number = this.announcer.set(key, value);
    this.claims.set(key, this.#settings.owner, number, value, this.#presence.beats);
  }
}
