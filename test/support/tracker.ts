import type { Door } from './cluster';
import { type ModelInferRequest, type ModelInferResponse, failureOf } from './stock-client';

/** When a request was sent, as far as the cluster had got with it when the fault came. */
export type Phase = 'queued' | 'in batch' | 'running' | 'replying';

/** What came of a request; 'failed' = a definite error. */
export type Outcome = 'answered' | 'failed' | 'wrong' | 'doubled' | 'lost';

export interface Tracked {
  readonly id: string;
  readonly phase: Phase;
  readonly door: string;
  readonly outcome: Outcome;
  /** Of those that failed. */
  readonly error: string;
}

const deadlineMs = 25_000;
/** How long after its deadline a call may take to be told, on a busy machine. */
const graceMs = 5_000;

/** Single requests, each followed to its end: half of them as calls, half on streams, which show doubled answers. */
export class Tracker {
  readonly settled: Tracked[] = [];
  readonly #open = new Set<Promise<void>>();
  #next = 0;

  get open(): number {
    return this.#open.size;
  }

  /** @param right Whether an answer is the one to this request. */
  ask(
    phase: Phase,
    { client, member }: Door,
    request: ModelInferRequest,
    right: (answer: ModelInferResponse) => boolean,
  ): void {
    const number = (this.#next += 1);
    const id = `${phase}-${number}`;
    const whole = { ...request, id };
    const sent = performance.now();
    const settle = (outcome: Outcome, error = '') => {
      const late = performance.now() - sent > deadlineMs + graceMs;
      this.settled.push({ id, phase, door: member.name, outcome: late ? 'lost' : outcome, error });
    };
    const judge = (answer: ModelInferResponse) => settle(answer.id === id && right(answer) ? 'answered' : 'wrong');
    const done =
      number % 2 === 0 ? this.#call(client, whole, judge, settle) : this.#stream(client, whole, judge, settle);
    this.#open.add(done);
    void done.finally(() => this.#open.delete(done));
  }

  /** Resolves when all that was asked is settled. */
  async all(): Promise<readonly Tracked[]> {
    await Promise.all(this.#open);
    return this.settled;
  }

  async #call(
    client: Door['client'],
    request: ModelInferRequest,
    judge: (answer: ModelInferResponse) => void,
    settle: (outcome: Outcome, error?: string) => void,
  ): Promise<void> {
    let answer: ModelInferResponse;
    try {
      answer = await client.infer(request, { deadlineMs });
    } catch (thrown) {
      const { code, details } = failureOf(thrown);
      settle('failed', `${code}: ${details}`);
      return;
    }
    judge(answer);
  }

  async #stream(
    client: Door['client'],
    request: ModelInferRequest,
    judge: (answer: ModelInferResponse) => void,
    settle: (outcome: Outcome, error?: string) => void,
  ): Promise<void> {
    const stream = client.stream({ deadlineMs });
    stream.send(request);
    const { code, details } = await stream.finish();
    const [first, second] = stream.answers;
    if (second) settle('doubled');
    else if (first?.infer_response && first.error_message === '') judge(first.infer_response);
    else if (first) settle('failed', first.error_message);
    else if (code === 'OK') settle('lost');
    else settle('failed', `${code}: ${details}`);
  }
}
