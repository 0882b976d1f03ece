import type { Clock } from '@shoal/core';
import type { Batch as BatchMessage, Done, Offer } from '@shoal/link';
import type { Batch, Rejection, Settlement, Ticket } from '@shoal/scheduler';
import { type Span, type Tracer, WallTime, contextFromWire } from '@shoal/telemetry';
import type { OfferTag } from '../router-link';
import type { MemberTrace } from './member-trace';

interface OpenBatch {
  readonly span: Span;
  readonly runner: string;
}

/**
 * The spans of what waits and of batches, where a request is recorded: for each wait of its in the queue one under its own span, and for
 * each batch that it is in the root of a trace of the batch's own. The two name each other by links, since a batch has several requests
 * and a span has one parent.
 */
export class BatchSpans {
  readonly #tracer: Tracer;
  readonly #clock: Clock;
  readonly #open = new Map<number, OpenBatch>();
  #wall: WallTime | undefined;

  constructor(tracer: Tracer, clock: Clock) {
    this.#tracer = tracer;
    this.#clock = clock;
  }

  /** Of an offer that has come; undefined: it is not recorded. */
  offered(offer: Offer): MemberTrace | undefined {
    if (offer.trace === undefined) return undefined;
    const context = contextFromWire(offer.trace);
    return context && { context, waitingSince: this.#clock.now(), ahead: 0 };
  }

  /** It was taken into its queue. */
  waits({ queue, tag, state }: Ticket<OfferTag>): void {
    if (tag.trace && state !== 'settled') tag.trace.ahead = queue.plain.waiting.size + queue.background.waiting.size;
  }

  /** A batch leaves, some of whose members are recorded: what its runner is told of that. */
  dispatched(batch: Batch<OfferTag>): Pick<BatchMessage, 'trace' | 'grantedMs'> {
    const { id, queue, runner, members, rows, reason } = batch;
    const now = this.#clock.now();
    const span = this.#tracer.startRoot('batch', 'internal', now);
    span.set('shoal.batch.id', id);
    span.set('shoal.batch.members', members.length);
    span.set('shoal.batch.rows', rows);
    span.set('shoal.batch.reason', reason);
    span.set('shoal.queue', queue.key);
    span.set('shoal.runner', runner.id);
    for (const ticket of members) {
      const { trace } = ticket.tag;
      if (!trace) continue;
      span.link(trace.context);
      const wait = this.#wait(ticket, trace);
      if (ticket.deadline !== Infinity) wait.setReal('shoal.deadline_slack_ms', ticket.deadline - now);
      wait.link(span);
      wait.end(now);
      trace.waitingSince = Number.NaN;
    }
    this.#open.set(id, { span, runner: runner.id });
    return { trace: span.wire, grantedMs: this.#wallMs(now) };
  }

  /** The request is over, and may have been so without a batch. */
  settled(ticket: Ticket<OfferTag>, settlement: Settlement, rejection: Rejection | undefined): void {
    const { trace } = ticket.tag;
    if (!trace || Number.isNaN(trace.waitingSince) || rejection?.origin === 'model') return;
    const wait = this.#wait(ticket, trace);
    wait.set('shoal.queue.outcome', rejection?.reason ?? settlement);
    if (rejection) wait.fail(rejection.code, rejection.message);
    wait.end(this.#clock.now());
    trace.waitingSince = Number.NaN;
  }

  /** A batch is over. To be told before anything follows from it: members that were not answered wait again. */
  done(batch: Batch<OfferTag>, { outcome, code, message, absent }: Done): void {
    const open = this.#open.get(batch.id);
    if (!open) return;
    this.#open.delete(batch.id);
    const { span } = open;
    const now = this.#clock.now();
    span.set('shoal.batch.outcome', outcome);
    if (absent.length > 0) span.set('shoal.batch.absent', absent.length);
    if (outcome === 'failed') span.fail(code, message);
    span.end(now);
    if (outcome === 'ok') return;
    batch.members.forEach(({ tag }, member) => {
      if (tag.trace && !absent.includes(member)) tag.trace.waitingSince = now;
    });
  }

  /** A runner is gone, with what it had. */
  lost(runner: string): void {
    for (const [id, { span, runner: whose }] of this.#open) {
      if (whose !== runner) continue;
      this.#open.delete(id);
      span.set('shoal.batch.outcome', 'lost');
      span.fail('UNAVAILABLE', 'the runner is gone');
      span.end(this.#clock.now());
    }
  }

  /** The span of a wait that is over. */
  #wait(ticket: Ticket<OfferTag>, { context, waitingSince, ahead }: MemberTrace): Span {
    const wait = this.#tracer.start('queue', 'internal', context, waitingSince);
    wait.set('shoal.queue', ticket.queue.key);
    wait.set('shoal.queue.ahead', ahead);
    wait.set('shoal.queue.level', ticket.level);
    if (ticket.background) wait.set('shoal.background', true);
    if (ticket.solo) wait.set('shoal.solo', true);
    return wait;
  }

  #wallMs(at: number): number {
    this.#wall ??= new WallTime(this.#clock);
    this.#wall.check();
    return at + this.#wall.offset;
  }
}
