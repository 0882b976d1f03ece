import type { CancelTimer, Clock } from '@shoal/core';
import type { BucketCurve } from '@shoal/scheduler';
import type { CurveStore } from './curve-store';

/** How often it looks whether something is worth keeping. */
const everyMs = 60_000;

/** What is kept differs by less than this share from what is known: it stays. */
const notable = 0.2;

/** Batches that a curve must rest on to be kept. */
const enough = 64;

/** Where the curves are that are learnt, and what may be known of them from before. */
export interface CurveSource {
  /** By the name `MODEL/VERSION`. */
  learnt(): Iterable<readonly [string, readonly BucketCurve[]]>;
  /** For a version whose queue may be open already. */
  recall(name: string, curves: readonly BucketCurve[]): void;
}

/** Keeps what is learnt of each model version, now and then and at the end, and tells what was kept. */
export class CurveKeeper {
  readonly #store: CurveStore;
  readonly #source: CurveSource;
  readonly #clock: Clock;
  readonly #kept = new Map<string, readonly BucketCurve[]>();
  #cancel: CancelTimer = () => undefined;

  constructor(store: CurveStore, source: CurveSource, clock: Clock) {
    this.#store = store;
    this.#source = source;
    this.#clock = clock;
    store.watch((name, curves) => {
      this.#kept.set(name, curves);
      source.recall(name, curves);
    });
    this.#later();
  }

  /** What is kept of a version. */
  known(name: string): readonly BucketCurve[] {
    return this.#kept.get(name) ?? [];
  }

  /** Keeps what is learnt by now. */
  async close(): Promise<void> {
    this.#cancel();
    this.#save();
    await this.#store.close();
  }

  #later(): void {
    this.#cancel = this.#clock.schedule(everyMs, () => {
      this.#save();
      this.#later();
    });
  }

  #save(): void {
    for (const [name, curves] of this.#source.learnt()) {
      const kept = this.known(name);
      // A curve without a slope is of one size, as in quiet times: it replaces none that says more.
      const sure = curves.filter(
        ({ bucket, betaMs, samples }) =>
          samples >= enough && (betaMs > 0 || !kept.some((other) => other.bucket === bucket && other.betaMs > 0)),
      );
      if (sure.every((curve) => kept.some((other) => alike(curve, other)))) continue;
      const buckets = new Set(sure.map(({ bucket }) => bucket));
      const all = [...kept.filter(({ bucket }) => !buckets.has(bucket)), ...sure];
      this.#kept.set(name, all);
      this.#store.put(name, all);
    }
  }
}

function alike(a: BucketCurve, b: BucketCurve): boolean {
  return a.bucket === b.bucket && near(a.alphaMs, b.alphaMs) && near(a.betaMs, b.betaMs) && near(a.high, b.high);
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= notable * Math.max(a, b);
}
