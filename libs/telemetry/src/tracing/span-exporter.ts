import type { CancelTimer, Clock } from '@shoal/core';
import type { Logger } from '../logger';
import type { SpanSender } from './otlp-delegate';
import type { EncodedBatch, SpanQueue } from './span-queue';

export interface ExporterOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The longest that a span waits for others. */
  readonly delayMs: number;
  /** The longest that an export may take before the next one is made. */
  readonly timeoutMs: number;
  /** Called before each export. */
  readonly onExport?: () => void;
}

/** A failed export may be tried again after so long, and then after half as long again, as OpenTelemetry's exporters do over HTTP. */
const firstRetryMs = 1000;
const retryFactor = 1.5;
const retries = 5;
/** gRPC codes after which OTLP wants another try: CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS. */
const retryableCodes: ReadonlySet<unknown> = new Set([1, 4, 10, 11, 14, 15]);

/**
 * Sends what waits in the queue, one batch after the other: full ones at once, others when their first span has waited long enough. What
 * cannot be sent is lost and counted; each outage is told once, and its end.
 */
export class SpanExporter {
  /** Spans that a receiver took. */
  exported = 0;
  /** Spans that were lost because no receiver took them. */
  lost = 0;
  /** Exports that failed for good. */
  failedExports = 0;
  readonly #queue: SpanQueue;
  readonly #options: ExporterOptions;
  readonly #sender: SpanSender;
  #sending = false;
  #failing = false;
  #closed = false;
  #cancelDelay: CancelTimer | undefined;
  #cancelGuard: CancelTimer | undefined;
  #cancelRetry: CancelTimer | undefined;
  #whenIdle: (() => void) | undefined;

  constructor(queue: SpanQueue, sender: SpanSender, options: ExporterOptions) {
    this.#queue = queue;
    this.#sender = sender;
    this.#options = options;
  }

  /** The queue has grown; `full`: by a batch that is complete. */
  grown(full: boolean): void {
    if (this.#sending || this.#closed) return;
    if (full) this.#next();
    else this.#wait();
  }

  /** Sends what waits, for at most `graceMs`; what is left is lost. */
  async close(graceMs: number): Promise<void> {
    if (this.#closed) return;
    const { clock } = this.#options;
    const idle = new Promise<void>((resolve) => (this.#whenIdle = resolve));
    let cancel: CancelTimer | undefined;
    const late = new Promise<void>((resolve) => (cancel = clock.schedule(graceMs, resolve)));
    this.#stopWaiting();
    if (!this.#sending) this.#next();
    await Promise.race([idle, late]);
    this.#closed = true;
    this.#cancelGuard?.();
    this.#cancelRetry?.();
    while (this.#drop()) continue;
    await Promise.race([this.#sender.close().catch(() => undefined), late]);
    cancel?.();
  }

  /** Begins with the next batch, if there is one. */
  #next(): void {
    this.#stopWaiting();
    this.#options.onExport?.();
    const batch = this.#queue.take();
    if (!batch) {
      this.#whenIdle?.();
      return;
    }
    this.#sending = true;
    this.#try(batch, retries, firstRetryMs);
  }

  #try(batch: EncodedBatch, triesLeft: number, pauseMs: number): void {
    const { clock, timeoutMs } = this.#options;
    let over = false;
    const finish = (error: Error | undefined) => {
      if (over || this.#closed) return;
      over = true;
      this.#cancelGuard?.();
      if (error && triesLeft > 0 && retryableCodes.has((error as { code?: unknown }).code)) {
        this.#tell(error);
        this.#cancelRetry = clock.schedule(pauseMs, () => this.#try(batch, triesLeft - 1, pauseMs * retryFactor));
      } else this.#finished(batch, error);
    };
    this.#cancelGuard = clock.schedule(timeoutMs, () => finish(new Error(`no answer within ${timeoutMs} ms`)));
    this.#sender.send(batch, finish);
  }

  #finished(batch: EncodedBatch, error: Error | undefined): void {
    this.#sending = false;
    if (error) {
      this.lost += batch.spans;
      this.failedExports++;
      this.#tell(error);
    } else {
      this.exported += batch.spans;
      if (this.#failing) {
        this.#failing = false;
        this.#options.logger.info('spans are exported again', { lost: this.lost, dropped: this.#queue.dropped });
      }
    }
    if (this.#queue.hasFull || this.#whenIdle) this.#next();
    else if (this.#queue.waiting > 0) this.#wait();
  }

  #tell(error: Error): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#options.logger.warn('spans cannot be exported; what does not fit the queue until they can is dropped', {
      error: error.message.slice(0, 500),
    });
  }

  #wait(): void {
    this.#cancelDelay ??= this.#options.clock.schedule(this.#options.delayMs, () => this.#next());
  }

  #stopWaiting(): void {
    this.#cancelDelay?.();
    this.#cancelDelay = undefined;
  }

  #drop(): boolean {
    const batch = this.#queue.take();
    this.lost += batch?.spans ?? 0;
    return batch !== undefined;
  }
}
