import { type CancelTimer, type Clock, IdTable, IndexedHeap, ShoalError, toShoalError } from '@shoal/core';
import { type Answer, type LinkMessage, type Reject, type Send, releaseMessage, wholeBytes } from '@shoal/link';
import { appendParameters, errorTexts } from '@shoal/protocol';
import type { RequestTrace, Setback } from '../tracing/request-trace';
import type { RouterMetrics, ShedReason } from '../metrics/router-metrics';
import { type AnswerLine, AnswerOrder, first } from './answer-order';
import { leftLate } from './abandonment';
import type { InferPlan } from './infer-plan';
import { type FailureOrigin, PendingRequest, type Waiter } from './pending-request';
import { batchParameters } from './batch-parameters';
import { dataMessage, offerMessage } from './request-messages';
import type { Roads } from './roads';

/** How long a request waits for a batching instance that can be reached, or for a runner that can. */
const unroutedMs = 10_000;
/** How long it waits for the link to the runner that it was given, where there was none before. */
const heldMs = 1_000;
/** Lost runners that are remembered: batching will soon know too. */
const rememberedRunners = 256;
const unreachable = 'the model instance cannot be reached';
/** Runners that may be lost with one request: the second time, the request is the likely cause. */
const maxLosses = 2;
/** Times that a request may come back without having run. */
const maxReturns = 12;
/** Bytes of answers that wait for those before them: one slow request must not have the answers of thousands fill the memory. */
const maxHeldAnswers = 256 * 1024 ** 2;
/** Pauses between such returns grow up to this. */
const longestRestMs = 500;

/**
 * Every request that is accepted and not yet answered, and what to do with it next: a state machine whose events are
 * the messages of batching and runners, links that open and close, and time. It never gives up a request without telling
 * its waiter.
 */
export class RequestTable {
  readonly #clock: Clock;
  readonly #roads: Roads;
  readonly #metrics: RouterMetrics | undefined;
  readonly #byOffer = new IdTable<PendingRequest>();
  /** Runners whose links have closed and not been opened again, the latest last. */
  readonly #cutOff = new Set<string>();
  /** Those that are unrouted or resting. */
  readonly #idle = new Set<PendingRequest>();
  /** Of those that are not in the background. */
  readonly #order: AnswerOrder;
  readonly #due = new IndexedHeap<PendingRequest>();
  #lastOfferId = 0;
  #timer: { readonly at: number; readonly cancel: CancelTimer } | undefined;

  /**
   * @param metrics Undefined: nothing is measured.
   * @param maxHeldBytes Bytes of answers that may wait for those before them.
   */
  constructor(clock: Clock, roads: Roads, metrics?: RouterMetrics, maxHeldBytes = maxHeldAnswers) {
    this.#order = new AnswerOrder(maxHeldBytes);
    this.#clock = clock;
    this.#roads = roads;
    this.#metrics = metrics;
  }

  /** Offers that stand, and requests without one, answered or not. */
  get size(): number {
    return this.#byOffer.size + this.#idle.size + this.#order.held.size;
  }

  /** Takes a request. @param deadline Clock time, ms; Infinity = none. */
  submit(plan: InferPlan, waiter: Waiter, deadline: number, trace?: RequestTrace): PendingRequest {
    const request = new PendingRequest(plan, waiter, this.#clock.now(), deadline, trace);
    if (plan.version.ordered && !plan.request.background) this.#order.join(request);
    this.#offer(request);
    return request;
  }

  /** Nobody waits for it any more; its waiter is not told. */
  cancel(request: PendingRequest): void {
    if (request.state === 'settled') return;
    const late = leftLate(request.deadline, this.#clock.now());
    this.#recall(request, late ? 'deadline' : 'cancelled');
    if (late) this.#noteDeadline(request);
    else this.#metrics?.canceled(request.plan.version);
    const line = this.#forget(request);
    this.#pass(line);
  }

  /** Fails all that is left; nothing may be submitted any more. */
  close(error: ShoalError): void {
    for (const request of new Set([...this.#byOffer.values(), ...this.#idle, ...this.#order.held])) {
      // Those before it may have been all that its answer waited for.
      if (request.state === 'settled') continue;
      this.#recall(request, 'cancelled');
      this.#giveUp(request, error, 'draining');
    }
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  batchingOpened(): void {
    for (const request of [...this.#idle]) if (request.state === 'unrouted') this.#offer(request);
  }

  batchingMessage(message: LinkMessage): void {
    if (message.kind === 'send') this.#send(message);
    else if (message.kind === 'reject') this.#rejected(message);
  }

  /** What it had queued is offered to another; what a runner has already may be answered by it, or by the next. */
  batchingClosed(id: string): void {
    for (const request of this.#offered((candidate) => candidate.batching === id)) {
      if (request.state === 'sent') (request.orphans ??= []).push(request.offerId);
      else this.#byOffer.delete(request.offerId);
      this.#setBack(request, 'BATCHING_LOST');
      this.#offer(request);
    }
  }

  runnerOpened(id: string): void {
    this.#cutOff.delete(id);
    for (const request of this.#offered((candidate) => candidate.state === 'held' && candidate.runner === id)) {
      this.#sendData(request);
    }
  }

  runnerMessage(id: string, message: LinkMessage): void {
    if (message.kind === 'answer') {
      const request = this.#byOffer.get(message.offerId);
      if (!request) {
        releaseMessage(message);
        return;
      }
      request.trace?.answering();
      const early = this.#order.isEarly(request);
      const response = this.#responseOf(request, message, early);
      if (!response) return;
      // An answer to the newest offer came after its bytes had left; others may have come before.
      const newest = request.offerId === message.offerId;
      if (!newest) this.#recall(request, 'cancelled');
      if (early && !this.#order.hasRoom(response.length)) {
        const text = 'too much waits for the answers of earlier requests, in whose order they are to be';
        this.#giveUp(request, new ShoalError('RESOURCE_EXHAUSTED', text));
      } else if (early) {
        this.#unlist(request);
        this.#order.hold(request, { response, done: newest, computeUs: message.computeUs });
      } else {
        const line = this.#forget(request);
        request.waiter.answered(response, newest, message.computeUs);
        this.#pass(line);
      }
    } else if (message.kind === 'refused') {
      const request = this.#byOffer.get(message.offerId);
      if (request?.offerId === message.offerId && request.state === 'sent' && request.runner === id) {
        // It may be that the runner could not reach the client's shared memory.
        request.indirect = true;
        this.#takeBack(request);
        this.#return(request, 'no instance of the model accepted the request', 'REFUSED');
      }
    }
  }

  /** Undefined when it cannot be read: then its link is over and the request is offered again, or it has failed. */
  #responseOf(request: PendingRequest, { response }: Answer, early: boolean): Uint8Array | undefined {
    try {
      if (request.facts) {
        const whole = wholeBytes(response, (length) => Buffer.allocUnsafe(length));
        return appendParameters(whole, batchParameters(request.facts, request));
      }
      // What is held outlives its message, and may never be sent.
      if (early) return Buffer.from(wholeBytes(response, (length) => Buffer.allocUnsafe(length)));
      return wholeBytes(response, (length) => request.waiter.allocate(length));
    } catch (thrown) {
      if (thrown instanceof ShoalError) return undefined;
      const message = 'the answer is larger than this server can hold';
      this.#giveUp(request, new ShoalError('RESOURCE_EXHAUSTED', message));
      return undefined;
    }
  }

  /** One has left this line: answers go whose turn has come. */
  #pass(line: AnswerLine | undefined): void {
    if (!line) return;
    for (let next = first(line); next?.held; next = first(line)) {
      const { response, done, computeUs } = next.held;
      this.#forget(next);
      next.waiter.answered(response, done, computeUs);
    }
  }

  /** What its runner had is offered again, alone in its batch: it may be what ended the runner. */
  runnerClosed(id: string): void {
    this.#cutOff.add(id);
    const [longest] = this.#cutOff;
    if (this.#cutOff.size > rememberedRunners && longest !== undefined) this.#cutOff.delete(longest);
    for (const request of this.#offered((candidate) => candidate.state === 'sent' && candidate.runner === id)) {
      this.#takeBack(request);
      this.#forgiveCut(request);
      request.losses += 1;
      request.lostRunner = id;
      this.#setBack(request, 'RUNNER_LOST');
      if (request.losses < maxLosses) this.#offer(request);
      else {
        const message = `the model's process ended ${maxLosses} times while it had this request, which is not tried again`;
        this.#giveUp(request, new ShoalError('UNAVAILABLE', message));
      }
    }
  }

  /**
   * A runner's id is of one process, so one that was reached again after it was lost had not ended: its link was cut, which is
   * nobody's fault. It counts as a return, of which there may be only so many, in case it is the request that breaks links.
   */
  #forgiveCut(request: PendingRequest): void {
    if (request.losses === 0 || request.returns >= maxReturns) return;
    const wasReached = request.lostRunner === request.runner || this.#roads.runner(request.lostRunner) !== undefined;
    if (!wasReached) return;
    request.losses -= 1;
    request.returns += 1;
  }

  #offered(chosen: (request: PendingRequest) => boolean): PendingRequest[] {
    const found = new Set(this.#byOffer.values());
    return [...found]
      .filter((request) => this.#byOffer.get(request.offerId) === request && chosen(request))
      .toSorted((a, b) => a.acceptedAt - b.acceptedAt);
  }

  #offer(request: PendingRequest): void {
    const now = this.#clock.now();
    if (now >= request.deadline) {
      this.#expire(request);
      return;
    }
    const owner = this.#roads.owner(request.plan.version.queue);
    const link = owner === undefined ? undefined : this.#roads.batching(owner);
    if (owner === undefined || !link) {
      request.state = 'unrouted';
      this.#idle.add(request);
      this.#setDue(request, now + unroutedMs);
      return;
    }
    this.#idle.delete(request);
    this.#lastOfferId += 1;
    request.offerId = this.#lastOfferId;
    request.batching = owner;
    request.state = 'queued';
    this.#byOffer.set(request.offerId, request);
    this.#setDue(request, Infinity);
    request.trace?.offered(request.plan);
    try {
      link.send(offerMessage(request, now));
    } catch (thrown) {
      this.#giveUp(request, toShoalError(thrown));
    }
  }

  #send({ offerId, batchId, member, runner, facts }: Send): void {
    const request = this.#byOffer.get(offerId);
    if (!request || request.offerId !== offerId) {
      // It was cancelled while this was on its way: the runner must not wait for its bytes.
      this.#roads.runner(runner)?.send({ kind: 'withdraw', batchId, member });
      return;
    }
    request.batchId = batchId;
    request.member = member;
    request.runner = runner;
    request.facts = facts;
    this.#sendData(request);
  }

  #sendData(request: PendingRequest): void {
    const link = this.#roads.runner(request.runner);
    if (!link && this.#cutOff.has(request.runner)) {
      // Batching may reach it all the same, and would choose it again and again: it has the least to do.
      this.#takeBack(request);
      this.#return(request, unreachable, 'RUNNER_UNREACHABLE');
      return;
    }
    if (!link) {
      request.state = 'held';
      this.#setDue(request, this.#clock.now() + heldMs);
      return;
    }
    if (request.state === 'held') this.#setDue(request, Infinity);
    request.state = 'sent';
    try {
      link.send(dataMessage(request, link.sharesMemory && !request.indirect));
    } catch (thrown) {
      // No message holds it. Its batch must not wait for it, nor its client.
      this.#recall(request, 'cancelled');
      this.#giveUp(request, toShoalError(thrown));
    }
  }

  #rejected({ offerId, code, message, origin, retryMs }: Reject): void {
    const request = this.#byOffer.get(offerId);
    if (!request || request.offerId !== offerId) return;
    if (origin === 'queue' && code === 'UNAVAILABLE') {
      const { signature } = request.plan.version;
      if (message === errorTexts.versionNotReady(signature.model, signature.version).message) {
        this.#byOffer.delete(offerId);
        this.#replan(request, message);
        return;
      }
      if (message === 'Exceeds maximum queue size') {
        this.#fail(request, errorTexts.queueFull(request.plan.request.requestId), 'queue');
        return;
      }
    }
    if (origin === 'queue' && code === 'DEADLINE_EXCEEDED') this.#noteDeadline(request);
    this.#fail(request, new ShoalError(code, message, { retryMs }), origin);
  }

  /** Its queue is gone, or not there yet: a version that was reloaded meanwhile has a new one. */
  #replan(request: PendingRequest, refusal: string): void {
    let plan: InferPlan;
    try {
      plan = request.waiter.replan();
    } catch (thrown) {
      this.#giveUp(request, toShoalError(thrown), undefined, 'queue');
      return;
    }
    const line = this.#order.leave(request);
    request.plan = plan;
    if (line) this.#order.join(request);
    this.#pass(line);
    this.#return(request, refusal, 'QUEUE_GONE');
  }

  /** It came back without having run: offer it again, at once the first time and then after growing pauses. */
  #return(request: PendingRequest, refusal: string, why: Setback): void {
    request.returns += 1;
    this.#setBack(request, why);
    // A road that is cut is no fault of the request's: however often it is drawn to it, others may be given next.
    const cut = refusal === unreachable && this.#clock.now() < request.acceptedAt + unroutedMs;
    if (request.returns > maxReturns && !cut) {
      this.#giveUp(request, new ShoalError('UNAVAILABLE', refusal), undefined, 'queue');
    } else if (request.returns === 1) {
      this.#offer(request);
    } else {
      request.state = 'resting';
      this.#idle.add(request);
      this.#setDue(request, this.#clock.now() + Math.min(2 ** request.returns, longestRestMs));
    }
  }

  /** Ends its offer, which batching may still believe in. */
  #takeBack(request: PendingRequest): void {
    this.#byOffer.delete(request.offerId);
    this.#roads.batching(request.batching)?.send({ kind: 'cancel', offerId: request.offerId, reason: 'cancelled' });
  }

  /** Tells all who work on it that nobody waits. */
  #recall(
    { state, batching, offerId, runner, batchId, member }: PendingRequest,
    reason: 'cancelled' | 'deadline',
  ): void {
    if (state !== 'queued' && state !== 'held' && state !== 'sent') return;
    this.#roads.batching(batching)?.send({ kind: 'cancel', offerId, reason });
    if (state !== 'queued') this.#roads.runner(runner)?.send({ kind: 'withdraw', batchId, member });
  }

  #expire(request: PendingRequest): void {
    this.#noteDeadline(request);
    this.#recall(request, 'deadline');
    this.#fail(request, new ShoalError('DEADLINE_EXCEEDED', 'Deadline Exceeded'), 'router');
  }

  /** One that runs already was not turned away. */
  #noteDeadline({ state, plan: { version } }: PendingRequest): void {
    this.#metrics?.canceled(version);
    if (state !== 'sent') this.#metrics?.shed('deadline', version.announcement.model);
  }

  /** It has to be offered again, or is given up. */
  #setBack({ trace }: PendingRequest, why: Setback): void {
    trace?.setBack(why);
    this.#metrics?.setBack(why);
  }

  /** Fails what only this router knows to have failed. */
  #giveUp(request: PendingRequest, error: ShoalError, shed?: ShedReason, origin: FailureOrigin = 'router'): void {
    const { version } = request.plan;
    this.#metrics?.failed(version);
    if (shed !== undefined) this.#metrics?.shed(shed, version.announcement.model);
    this.#fail(request, error, origin);
  }

  #fail(request: PendingRequest, error: ShoalError, origin: FailureOrigin): void {
    const line = this.#forget(request);
    request.waiter.failed(error, origin);
    this.#pass(line);
  }

  /** It is over. Gives back the line that it had a turn in. */
  #forget(request: PendingRequest): AnswerLine | undefined {
    this.#unlist(request);
    this.#due.set(request, Infinity);
    request.state = 'settled';
    return this.#order.leave(request);
  }

  #unlist(request: PendingRequest): void {
    this.#byOffer.delete(request.offerId);
    if (request.orphans) for (const offerId of request.orphans) this.#byOffer.delete(offerId);
    this.#idle.delete(request);
  }

  /** Looks at the request again at `time`, or at its deadline when that is earlier. */
  #setDue(request: PendingRequest, time: number): void {
    const dueAt = Math.min(time, request.deadline);
    if (dueAt === request.heapKey) return;
    this.#due.set(request, dueAt);
    this.#arm();
  }

  /** One timer for all requests, set to the first time at which one of them is due. */
  #arm(): void {
    const at = this.#due.first?.heapKey;
    if (at === undefined || (this.#timer && this.#timer.at <= at)) return;
    this.#timer?.cancel();
    const cancel = this.#clock.schedule(at - this.#clock.now(), () => {
      this.#timer = undefined;
      this.#sweep();
      this.#arm();
    });
    this.#timer = { at, cancel };
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (let request = this.#due.first; request && request.heapKey <= now; request = this.#due.first) {
      if (now >= request.deadline) this.#expire(request);
      else if (request.state === 'resting') this.#offer(request);
      else if (request.state === 'held') {
        this.#takeBack(request);
        this.#return(request, unreachable, 'RUNNER_UNREACHABLE');
      } else {
        const message = 'the part of the server that batches requests cannot be reached';
        this.#giveUp(request, new ShoalError('UNAVAILABLE', message), 'unroutable');
      }
    }
  }
}
