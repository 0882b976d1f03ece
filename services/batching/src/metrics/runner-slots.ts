/** More runners than this serve one version under one name. */
const maxSlots = 64;

/** Small numbers for the runners of each version: ids are new with each process, and would be new label sets for ever. */
export class RunnerSlots {
  readonly #taken = new Map<string, Set<number>>();
  readonly #byRunner = new Map<string, { readonly version: string; readonly slot: number }>();

  /** The first that is free. */
  take(version: string, runner: string): string {
    this.give(runner);
    const taken = this.#taken.get(version) ?? new Set();
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    if (slot >= maxSlots) return 'other';
    taken.add(slot);
    this.#taken.set(version, taken);
    this.#byRunner.set(runner, { version, slot });
    return String(slot);
  }

  give(runner: string): void {
    const held = this.#byRunner.get(runner);
    if (held === undefined) return;
    this.#byRunner.delete(runner);
    const taken = this.#taken.get(held.version);
    taken?.delete(held.slot);
    if (taken?.size === 0) this.#taken.delete(held.version);
  }
}
