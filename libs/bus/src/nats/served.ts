import { ShoalError, toShoalError } from '@shoal/core';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { LocalCalls } from '../local-calls';
import type { CallSpans } from './call-spans';
import { callSubject, replyBytes } from './calls';
import { fromBytes } from './payload';
import type { Settings } from './settings';

const maxRunning = 1_000;
/** Answers kept for a connection that is away. */
const maxKept = 1_000;

/** The subjects that this bus serves: one subscription each, in the queue group of all buses that serve it. */
export class Served {
  readonly #settings: Settings;
  readonly #spans: CallSpans | undefined;
  readonly #handlers: LocalCalls;
  /** How often each subject is served here. */
  readonly #counts = new Map<string, number>();
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #running = new Set<Promise<void>>();
  #kept: { reply: string; bytes: Buffer }[] = [];
  #nc: NatsConnection | undefined;

  constructor(settings: Settings, spans?: CallSpans) {
    this.#settings = settings;
    this.#spans = spans;
    this.#handlers = new LocalCalls(settings.clock);
  }

  serve(subject: string, handler: (request: unknown) => Promise<unknown>): () => void {
    const stop = this.#handlers.serve(subject, handler);
    this.#counts.set(subject, (this.#counts.get(subject) ?? 0) + 1);
    this.#subscribe(subject);
    let stopped = false;
    return () => {
      if (stopped) return;
      stopped = true;
      stop();
      const left = this.#counts.get(subject)! - 1;
      this.#counts.set(subject, left);
      if (left > 0) return;
      this.#counts.delete(subject);
      this.#subscriptions.get(subject)?.unsubscribe();
      this.#subscriptions.delete(subject);
    };
  }

  up(nc: NatsConnection): void {
    this.#nc = nc;
    this.#subscriptions.clear();
    for (const subject of this.#counts.keys()) this.#subscribe(subject);
    for (const { reply, bytes } of this.#kept) nc.publish(reply, bytes);
    this.#kept = [];
  }

  down(): void {
    this.#nc = undefined;
    this.#subscriptions.clear();
  }

  /** Takes no more calls and waits for those that run, at most `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
    this.#subscriptions.clear();
    this.#counts.clear();
    let cancel = () => undefined as void;
    const late = new Promise<void>((resolve) => (cancel = this.#settings.clock.schedule(timeoutMs, resolve)));
    await Promise.race([Promise.all(this.#running), late]);
    cancel();
    this.#handlers.close();
  }

  #subscribe(subject: string): void {
    if (this.#nc === undefined || this.#subscriptions.has(subject)) return;
    const name = callSubject(this.#settings, subject);
    const subscription = this.#nc.subscribe(name, {
      queue: 'servers',
      callback: (error, message) => {
        if (!error) this.#asked(subject, message);
      },
    });
    this.#subscriptions.set(subject, subscription);
  }

  #asked(subject: string, message: Msg): void {
    const { reply } = message;
    if (reply === undefined || reply === '') return;
    if (this.#running.size >= maxRunning) {
      const error = { code: 'RESOURCE_EXHAUSTED', message: `too many calls of ${subject} at once` };
      message.respond(replyBytes(subject, error));
      return;
    }
    message.respond(replyBytes(subject, { by: this.#settings.owner }));
    const running = this.#answer(subject, message, reply);
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  async #answer(subject: string, call: Msg, reply: string): Promise<void> {
    const span = this.#spans?.process(subject, call);
    let bytes: Buffer;
    try {
      const value = await this.#handlers.call(subject, decode(subject, call.data));
      bytes = replyBytes(subject, { value: value ?? null });
      if (span) this.#spans?.end(span, undefined);
    } catch (thrown) {
      const { code, message } = toShoalError(thrown);
      bytes = replyBytes(subject, { code, message });
      if (span) this.#spans?.end(span, { code, message });
    }
    this.#reply(reply, bytes);
  }

  #reply(reply: string, bytes: Buffer): void {
    if (this.#nc !== undefined) this.#nc.publish(reply, bytes);
    else if (this.#kept.length < maxKept) this.#kept.push({ reply, bytes });
  }
}

function decode(subject: string, data: Uint8Array): unknown {
  try {
    return fromBytes(data);
  } catch {
    throw new ShoalError('INVALID_ARGUMENT', `a call of ${subject} could not be read`);
  }
}
