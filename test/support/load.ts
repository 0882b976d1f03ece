import { type Failure, failureOf } from './stock-client';

/** One request of a load and what came of it; times in ms of one clock. */
export interface LoadOutcome {
  readonly index: number;
  readonly started: number;
  readonly ended: number;
  /** Absent when it was answered, rightly or wrongly. */
  readonly failure?: Failure;
  /** Whether the answer was right. */
  readonly right?: boolean;
}

/** A load that nobody stops, because its test failed, ends by itself. */
const longestMs = 50_000;

/** Requests that go on, `concurrency` at a time, until told to stop. */
export class Load {
  readonly outcomes: LoadOutcome[] = [];
  #stopped = false;
  #next = 0;
  readonly #done: Promise<unknown>;

  /** `send` performs request number `index` and resolves with whether its answer was right. */
  constructor(concurrency: number, send: (index: number) => Promise<boolean>) {
    this.#done = Promise.all(Array.from({ length: concurrency }, () => this.#client(send)));
  }

  get answered(): number {
    return this.outcomes.filter(({ right }) => right !== undefined).length;
  }

  get failures(): Failure[] {
    return this.outcomes.flatMap(({ failure }) => (failure ? [failure] : []));
  }

  get wrong(): LoadOutcome[] {
    return this.outcomes.filter(({ right }) => right === false);
  }

  /** Sends nothing more; resolves when all that was sent is settled. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #client(send: (index: number) => Promise<boolean>): Promise<void> {
    const end = performance.now() + longestMs;
    while (!this.#stopped && performance.now() < end) {
      const index = this.#next;
      this.#next += 1;
      const started = performance.now();
      try {
        const right = await send(index);
        this.outcomes.push({ index, started, ended: performance.now(), right });
      } catch (thrown) {
        this.outcomes.push({ index, started, ended: performance.now(), failure: failureOf(thrown) });
        // A server that is gone refuses faster than this loop should spin.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }
}
