import { type Bus, type Desire, type StoredBackground, backgroundsPrefix, desiredPrefix } from '@shoal/bus';
import type { Clock } from '@shoal/core';
import type { PlacementView } from './placement-view';

/** A blob that nobody names may belong to a call that is about to name it. */
const spareMs = 10 * 60_000;

/** Removes files that no desired state and no background names any more: those of a changed model at once, what others left behind after a while. */
export class BlobCare {
  readonly #bus: Bus;
  readonly #view: PlacementView;
  readonly #clock: Clock;
  /** Blobs that nobody named, and since when. */
  readonly #nameless = new Map<string, number>();
  /** What each model named when it was looked at last. */
  readonly #named = new Map<string, readonly string[]>();

  /** What backgrounds of explanations name. */
  readonly #backgrounds = new Map<string, string>();
  readonly #unwatch: () => void;

  constructor(bus: Bus, view: PlacementView, clock: Clock) {
    this.#bus = bus;
    this.#view = view;
    this.#clock = clock;
    this.#unwatch = bus.state.watch<StoredBackground>(backgroundsPrefix, (key, entry) => {
      if (entry) this.#backgrounds.set(key, entry.value.digest);
      else this.#backgrounds.delete(key);
    });
  }

  /** The digests of a model's upload, to be judged at the next `tidy`. */
  uploaded(model: string, digests: readonly string[]): void {
    this.#named.set(model, [...(this.#named.get(model) ?? []), ...digests]);
  }

  /** After a change of `model`, whose files stand no more or not yet. @throws ShoalError UNAVAILABLE without the store. */
  async tidy(model: string): Promise<void> {
    const own = digestsOf((await this.#bus.state.get<Desire>(desiredPrefix + model))?.value);
    const others = [...this.#view.desires].flatMap(([name, desire]) => (name === model ? [] : digestsOf(desire)));
    const named = new Set([...own, ...others, ...this.#backgrounds.values()]);
    const mine = new Set(this.#named.get(model) ?? []);
    if (own.length > 0) this.#named.set(model, own);
    else this.#named.delete(model);
    const now = this.#clock.now();
    const stored = await this.#bus.blobs.list();
    const there = new Set(stored);
    for (const digest of this.#nameless.keys()) if (!there.has(digest)) this.#nameless.delete(digest);
    for (const digest of stored) {
      if (named.has(digest)) {
        this.#nameless.delete(digest);
        continue;
      }
      const since = this.#nameless.get(digest) ?? now;
      this.#nameless.set(digest, since);
      if (!mine.has(digest) && now - since < spareMs) continue;
      this.#nameless.delete(digest);
      await this.#bus.blobs.delete(digest);
    }
  }

  close(): void {
    this.#unwatch();
  }
}

function digestsOf(desire: Desire | undefined): string[] {
  return (desire?.files ?? []).map(({ digest }) => digest);
}
