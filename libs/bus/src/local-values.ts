type Listener = (key: string, value: object | undefined) => void;

interface Watch {
  readonly prefix: string;
  readonly listener: Listener;
  active: boolean;
}

/** The announcements that stand, and who watches them. */
export class LocalValues {
  readonly #values = new Map<string, object>();
  readonly #watches = new Set<Watch>();
  readonly #onError: (thrown: unknown) => void;
  /** News on its way, in order: one queue for all watches, so that order holds across keys too. */
  #news: { watch: Watch; key: string; value: object | undefined }[] = [];
  #closed = false;

  constructor(onError: (thrown: unknown) => void) {
    this.#onError = onError;
  }

  /** Announces a value, or withdraws it when undefined; withdrawing what does not stand is no news. */
  set(key: string, value: object | undefined): void {
    if (this.#closed) return;
    if (value === undefined) {
      if (!this.#values.delete(key)) return;
    } else {
      this.#values.set(key, value);
    }
    for (const watch of this.#watches) {
      if (key.startsWith(watch.prefix)) this.#tell(watch, key, value);
    }
  }

  /** Returns what ends the watch: afterwards its listener is not called, even for news already on its way. */
  watch(prefix: string, listener: Listener): () => void {
    const watch: Watch = { prefix, listener, active: true };
    if (this.#closed) return () => undefined;
    this.#watches.add(watch);
    for (const [key, value] of this.#values) {
      if (key.startsWith(prefix)) this.#tell(watch, key, value);
    }
    return () => {
      watch.active = false;
      this.#watches.delete(watch);
    };
  }

  close(): void {
    this.#closed = true;
    for (const watch of this.#watches) watch.active = false;
    this.#watches.clear();
    this.#values.clear();
    this.#news = [];
  }

  #tell(watch: Watch, key: string, value: object | undefined): void {
    this.#news.push({ watch, key, value });
    if (this.#news.length === 1) queueMicrotask(() => this.#deliver());
  }

  /** Hands out the news gathered so far; what listeners announce meanwhile comes in the next microtask. */
  #deliver(): void {
    const news = this.#news;
    this.#news = [];
    for (const { watch, key, value } of news) {
      if (!watch.active) continue;
      try {
        watch.listener(key, value);
      } catch (thrown) {
        this.#onError(thrown);
      }
    }
  }
}
