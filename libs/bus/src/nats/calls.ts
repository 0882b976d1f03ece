import { ShoalError, toShoalError, type ErrorCode, statusNumbers } from '@shoal/core';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { CallOptions } from '../bus';
import type { CallSpans } from './call-spans';
import { encodeToken } from './names';
import { fromBytes, toBytes } from './payload';
import type { Settings } from './settings';

/** How long a call waits for a connection, and then for somebody to say that he has it. */
const takeMs = 5_000;
/** No call waits longer, whatever it asks for. */
const longestMs = 60 * 60_000;
const maxCalls = 10_000;
/** Below the 1 MiB that servers carry in one message by default. */
const maxMessageBytes = 1024 * 1024 - 4096;

/** What comes back: who took the call, then how it ended. */
type Reply =
  | { readonly by: string }
  | { readonly value: unknown }
  | { readonly code: string; readonly message: string };

interface Pending {
  readonly subject: string;
  by: string | undefined;
  taken: () => void;
  resolve: (value: unknown) => void;
  fail: (error: ShoalError) => void;
}

/** The calls that this bus makes. */
export class Calls {
  readonly #settings: Settings;
  readonly #spans: CallSpans | undefined;
  readonly #pending = new Map<string, Pending>();
  /** Calls that wait for a connection. */
  readonly #waiting = new Map<string, () => void>();
  #nc: NatsConnection | undefined;
  #closed = false;
  #next = 0;

  constructor(settings: Settings, spans?: CallSpans) {
    this.#settings = settings;
    this.#spans = spans;
  }

  get #inbox(): string {
    return `${this.#settings.prefix}.reply.${this.#settings.owner}`;
  }

  up(nc: NatsConnection): void {
    nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.#replied(message);
      },
    });
    this.#nc = nc;
    for (const [id, send] of [...this.#waiting]) {
      this.#waiting.delete(id);
      send();
    }
  }

  /** Answers on their way are lost: better a clear word than a long wait. */
  down(): void {
    this.#nc = undefined;
    for (const [id, { subject, fail }] of [...this.#pending]) {
      if (this.#waiting.has(id)) continue;
      fail(
        new ShoalError(
          'UNAVAILABLE',
          `the connection to NATS broke during a call of ${subject}; it may have been carried out`,
        ),
      );
    }
  }

  /** A bus died: it will not answer. */
  gone(owner: string): void {
    for (const { subject, by, fail } of [...this.#pending.values()]) {
      if (by === owner) {
        fail(
          new ShoalError('UNAVAILABLE', `who served ${subject} has gone during the call; it may have been carried out`),
        );
      }
    }
  }

  call(subject: string, request: unknown, { timeoutMs, signal, trace }: CallOptions = {}): Promise<unknown> {
    const { clock } = this.#settings;
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closed());
      if (signal?.aborted) return reject(cancelled(subject, signal));
      if (this.#pending.size >= maxCalls)
        return reject(new ShoalError('RESOURCE_EXHAUSTED', 'too many calls on the bus'));
      const bytes = toBytes(`a call of ${subject}`, request ?? null, maxMessageBytes);
      const id = (++this.#next).toString(36);
      const destination = callSubject(this.#settings, subject);
      const made = trace && this.#spans?.publish(subject, destination, bytes.length, trace);
      const settle = () => {
        if (!this.#pending.delete(id)) return false;
        this.#waiting.delete(id);
        cancelTake();
        cancelTimeout();
        signal?.removeEventListener('abort', onAbort);
        return true;
      };
      const fail = (error: ShoalError) => {
        if (!settle()) return;
        if (made) this.#spans?.end(made.span, error);
        reject(error);
      };
      const onAbort = () => fail(cancelled(subject, signal));
      const notTaken = () =>
        fail(new ShoalError('UNAVAILABLE', this.#nc ? `nobody took the call of ${subject}` : 'NATS cannot be reached'));
      let cancelTake = clock.schedule(takeMs, notTaken);
      const timeout = Math.min(timeoutMs ?? longestMs, longestMs);
      const cancelTimeout = clock.schedule(timeout, () =>
        fail(new ShoalError('DEADLINE_EXCEEDED', `${subject} did not answer within ${timeout} ms`)),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, {
        subject,
        by: undefined,
        taken: () => cancelTake(),
        resolve: (value) => {
          if (!settle()) return;
          if (made) this.#spans?.end(made.span, undefined);
          resolve(value);
        },
        fail,
      });
      const send = () => {
        cancelTake();
        cancelTake = clock.schedule(takeMs, notTaken);
        const reply = `${this.#inbox}.${id}`;
        this.#nc?.publish(destination, bytes, made ? { reply, headers: made.headers } : { reply });
      };
      if (this.#nc === undefined) this.#waiting.set(id, send);
      else send();
    });
  }

  close(): void {
    this.#closed = true;
    for (const { fail } of [...this.#pending.values()]) fail(closed());
  }

  #replied(message: Msg): void {
    const pending = this.#pending.get(message.subject.slice(this.#inbox.length + 1));
    if (pending === undefined) return;
    if (message.data.length === 0 && message.headers?.code === 503) {
      pending.fail(new ShoalError('UNAVAILABLE', `nobody serves ${pending.subject}`));
      return;
    }
    let reply: Reply;
    try {
      reply = fromBytes(message.data) as Reply;
    } catch (thrown) {
      pending.fail(toShoalError(thrown));
      return;
    }
    if ('by' in reply) {
      pending.by = reply.by;
      pending.taken();
    } else if ('code' in reply) {
      pending.fail(new ShoalError(reply.code in statusNumbers ? (reply.code as ErrorCode) : 'INTERNAL', reply.message));
    } else {
      pending.resolve(reply.value);
    }
  }
}

/** The subject in NATS; queue groups have its name too. */
export function callSubject({ prefix }: Settings, subject: string): string {
  return `${prefix}.call.${encodeToken(subject)}`;
}

/** A reply as bytes; one that cannot be carried becomes an error. */
export function replyBytes(subject: string, reply: Reply): Buffer {
  try {
    return toBytes(`the answer of ${subject}`, reply, maxMessageBytes);
  } catch (thrown) {
    const { code, message } = toShoalError(thrown);
    return Buffer.from(JSON.stringify({ code, message }));
  }
}

function closed(): ShoalError {
  return new ShoalError('UNAVAILABLE', 'the bus is closed');
}

function cancelled(subject: string, signal: AbortSignal | undefined): ShoalError {
  return new ShoalError('CANCELLED', `the call to ${subject} was cancelled`, { cause: signal?.reason });
}
