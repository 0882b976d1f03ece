/** What one bus says of one key. */
interface Claim {
  /** Which of its owner's announcements it is: the same number is the same news, told again. */
  readonly number: number;
  /** undefined = withdrawn: remembered for its number. */
  readonly value: object | undefined;
  /** Own beats when it was heard last. */
  confirmed: number;
}

/**
 * Who announces what under which key. Of several who live the one that spoke last is believed; when it withdraws or dies, the one
 * before. What is announced again unchanged is no news. A pure state machine.
 */
export class Claims {
  /** By key, then by owner, who spoke last at the end. */
  readonly #claims = new Map<string, Map<string, Claim>>();
  readonly #shown = new Map<string, object>();
  readonly #lives: (owner: string) => boolean;
  readonly #tell: (key: string, value: object | undefined) => void;

  constructor(lives: (owner: string) => boolean, tell: (key: string, value: object | undefined) => void) {
    this.#lives = lives;
    this.#tell = tell;
  }

  /** The number of the owner's news on `key` that is known. */
  known(key: string, owner: string): number | undefined {
    return this.#claims.get(key)?.get(owner)?.number;
  }

  /** Who announces something under `key`. */
  owners(key: string): string[] {
    return [...(this.#claims.get(key) ?? [])].flatMap(([owner, { value }]) => (value === undefined ? [] : [owner]));
  }

  set(key: string, owner: string, number: number, value: object | undefined, beats: number): void {
    let owners = this.#claims.get(key);
    if (owners === undefined) this.#claims.set(key, (owners = new Map()));
    const before = owners.get(owner);
    if (before !== undefined && before.number >= number) {
      before.confirmed = beats;
      return;
    }
    owners.delete(owner);
    owners.set(owner, { number, value, confirmed: beats });
    this.#show(key, owners);
  }

  /** It is announced still, unchanged. */
  confirm(key: string, owner: string, beats: number): void {
    const claim = this.#claims.get(key)?.get(owner);
    if (claim) claim.confirmed = beats;
  }

  /** `owner` came or went. */
  changed(owner: string): void {
    for (const [key, owners] of this.#claims) {
      if (owners.has(owner)) this.#show(key, owners);
    }
  }

  /** Forgets what was confirmed last before `beats`, but for what those announced whom `spared` names. */
  forget(beats: number, spared: (owner: string) => boolean): void {
    for (const [key, owners] of this.#claims) {
      for (const [owner, claim] of owners) {
        if (claim.confirmed < beats && !spared(owner)) owners.delete(owner);
      }
      this.#show(key, owners);
      if (owners.size === 0) this.#claims.delete(key);
    }
  }

  /** Owners not known to live, who announce something. */
  hidden(): Set<string> {
    const hidden = new Set<string>();
    for (const owners of this.#claims.values()) {
      for (const [owner, { value }] of owners) {
        if (value !== undefined && !this.#lives(owner)) hidden.add(owner);
      }
    }
    return hidden;
  }

  #show(key: string, owners: ReadonlyMap<string, Claim>): void {
    let value: object | undefined;
    for (const [owner, claim] of owners) {
      if (claim.value !== undefined && this.#lives(owner)) value = claim.value;
    }
    if (value === this.#shown.get(key)) return;
    if (value === undefined) this.#shown.delete(key);
    else this.#shown.set(key, value);
    this.#tell(key, value);
  }
}
