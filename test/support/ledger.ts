import type { Door } from './cluster';
import { type InferStream, failureOf } from './stock-client';
import { isSimpleAnswer, simpleRequest } from './tensors';
import { sleep } from './waiting';

const deadlineMs = 10_000;
/** How long after its deadline a call may take to be told, on a busy machine. */
const graceMs = 3_000;
/** A load that nobody stops, because its test failed, ends by itself. */
const defaultLongestMs = 60_000;

/**
 * Load on several routers in which each request has an id and inputs of its own, and what came of each by its id. Calls
 * show wrong answers, failures and hangs; streams also doubled answers.
 */
export class Ledger {
  answered = 0;
  /** By router: the longest that a call of its clients waited for its answer, ms. */
  readonly slowestMs = new Map<string, number>();
  /** Ids of answers with another request's values, or on a stream that never asked them. */
  readonly wrong: string[] = [];
  /** Ids that were answered more than once. */
  readonly doubled: string[] = [];
  /** Ids that were settled too late, or never. */
  readonly hung: string[] = [];
  /** ID, status and text. */
  readonly failed: { readonly id: string; readonly code: string; readonly details: string }[] = [];
  /** Id → router and time (performance.now) of what is not settled. */
  readonly open = new Map<string, { readonly door: string; readonly since: number }>();
  readonly #model: string;
  readonly #longestMs: number;
  readonly #done: Promise<unknown>;
  #stopped = false;
  #next = 0;

  constructor(model: string, doors: readonly Door[], concurrency: number, longestMs = defaultLongestMs) {
    this.#model = model;
    this.#longestMs = longestMs;
    this.#done = Promise.all([
      ...doors.flatMap((door) => Array.from({ length: concurrency }, () => this.#calls(door))),
      ...doors.map((door) => this.#streams(door)),
    ]);
  }

  /** Requests sent so far. */
  get asked(): number {
    return this.#next;
  }

  /** What must never be, however the cluster suffers. */
  get faults(): object {
    const { wrong, doubled, hung } = this;
    return { wrong, doubled, hung };
  }

  /** Whether all that was sent before `time` is settled, but for what went to `except`. */
  settledBefore(time: number, except = ''): boolean {
    return [...this.open.values()].every(({ door, since }) => since >= time || door === except);
  }

  /** Sends nothing more; resolves when all that was sent is settled. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #calls({ client, member }: Door): Promise<void> {
    const end = performance.now() + this.#longestMs;
    while (!this.#stopped && performance.now() < end) {
      const { id, seed, request } = this.#request();
      const started = performance.now();
      this.open.set(id, { door: member.name, since: started });
      try {
        const answer = await client.infer(request, { deadlineMs });
        this.#answer(id, answer.id === id && isSimpleAnswer(answer, seed));
        this.slowestMs.set(member.name, Math.max(this.slowestMs.get(member.name) ?? 0, performance.now() - started));
      } catch (thrown) {
        this.failed.push({ id: `${id} ${member.name}`, ...failureOf(thrown) });
        // A router that is gone refuses faster than this loop should spin.
        await sleep(20);
      }
      this.open.delete(id);
      if (performance.now() - started > deadlineMs + graceMs) this.hung.push(id);
    }
  }

  /** One stream after another, each with some requests. */
  async #streams({ client, member }: Door): Promise<void> {
    const end = performance.now() + this.#longestMs;
    while (!this.#stopped && performance.now() < end) {
      const stream = client.stream({ deadlineMs });
      const sent = Array.from({ length: 8 }, () => this.#request());
      const started = performance.now();
      for (const { id, request } of sent) {
        this.open.set(id, { door: member.name, since: started });
        stream.send(request);
      }
      const ended = await stream.finish();
      for (const { id } of sent) this.open.delete(id);
      if (performance.now() - started > deadlineMs + graceMs) for (const { id } of sent) this.hung.push(id);
      for (const one of sent) this.#settle(one, stream, ended, member.name);
      const asked = new Set(sent.map(({ id }) => id));
      const strangers = stream.answers
        .map(({ infer_response: answer }) => answer?.id ?? '')
        .filter((id) => !asked.has(id));
      this.wrong.push(...strangers);
      if (ended.code !== 'OK') await sleep(20);
    }
  }

  #settle(
    { id, seed }: { readonly id: string; readonly seed: number },
    { answers }: InferStream,
    ended: { readonly code: string; readonly details: string },
    door: string,
  ): void {
    const own = answers.filter(({ infer_response: answer }) => answer?.id === id);
    if (own.length > 1) this.doubled.push(id);
    const [first] = own;
    if (first === undefined) {
      // A stream that ended well has answered everything.
      if (ended.code === 'OK') this.hung.push(id);
      else this.failed.push({ id: `${id} ${door}`, ...ended });
    } else if (first.error_message !== '') {
      this.failed.push({ id: `${id} ${door}`, code: 'STREAMED', details: first.error_message });
    } else this.#answer(id, first.infer_response !== null && isSimpleAnswer(first.infer_response, seed));
  }

  #answer(id: string, right: boolean): void {
    this.answered += 1;
    if (!right) this.wrong.push(id);
  }

  #request() {
    const seed = (this.#next += 1);
    const id = `request-${seed}`;
    return { id, seed, request: simpleRequest(seed, { id }, this.#model) };
  }
}
