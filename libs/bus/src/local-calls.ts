import { type Clock, ShoalError, toShoalError } from '@shoal/core';

type Handler = (request: unknown) => Promise<unknown>;

/** Who answers which subject, and the calls that wait for an answer. */
export class LocalCalls {
  readonly #clock: Clock;
  /** Handlers in turn: the first one is the next to be asked. */
  readonly #handlers = new Map<string, Handler[]>();
  readonly #failures = new Set<(error: ShoalError) => void>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns what stops serving; calls already handed over are still answered. */
  serve(subject: string, handler: Handler): () => void {
    // Wrapped, so that one function served twice is taken away once.
    const entry: Handler = (request) => handler(request);
    this.#handlers.set(subject, [...(this.#handlers.get(subject) ?? []), entry]);
    return () => {
      const left = (this.#handlers.get(subject) ?? []).filter((other) => other !== entry);
      if (left.length > 0) this.#handlers.set(subject, left);
      else this.#handlers.delete(subject);
    };
  }

  call(
    subject: string,
    request: unknown,
    options: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const { timeoutMs, signal } = options;
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(busClosed());
      if (signal?.aborted) return reject(cancelled(subject, signal));
      const handler = this.#next(subject);
      if (!handler) return reject(new ShoalError('UNAVAILABLE', `nobody serves ${subject}`));

      const settle = (finish: () => void) => {
        if (!this.#failures.delete(fail)) return;
        cancelTimer?.();
        signal?.removeEventListener('abort', onAbort);
        finish();
      };
      const fail = (error: ShoalError) => settle(() => reject(error));
      const onAbort = () => fail(cancelled(subject, signal));
      this.#failures.add(fail);
      signal?.addEventListener('abort', onAbort, { once: true });
      const cancelTimer =
        timeoutMs === undefined
          ? undefined
          : this.#clock.schedule(timeoutMs, () =>
              fail(new ShoalError('DEADLINE_EXCEEDED', `${subject} did not answer within ${timeoutMs} ms`)),
            );
      Promise.resolve()
        .then(() => handler(request))
        .then(
          (answer) => settle(() => resolve(answer)),
          (thrown: unknown) => fail(toShoalError(thrown)),
        );
    });
  }

  /** Fails the calls that wait; handlers that run are not interrupted. */
  close(): void {
    this.#closed = true;
    this.#handlers.clear();
    for (const fail of [...this.#failures]) fail(busClosed());
  }

  #next(subject: string): Handler | undefined {
    const handlers = this.#handlers.get(subject);
    const next = handlers?.shift();
    if (next) handlers?.push(next);
    return next;
  }
}

function busClosed(): ShoalError {
  return new ShoalError('UNAVAILABLE', 'the bus is closed');
}

function cancelled(subject: string, signal: AbortSignal | undefined): ShoalError {
  return new ShoalError('CANCELLED', `the call to ${subject} was cancelled`, { cause: signal?.reason });
}
