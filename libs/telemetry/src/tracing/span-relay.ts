import type { CancelTimer, Clock } from '@shoal/core';
import { BackWriter } from './back-writer';
import { encodeSpan } from './encode-span';
import { type RecordedSpan, SinkTracer, type SpanSink } from './recorded-span';
import type { Tracer } from './span';
import { WallStamp } from './wall-stamp';
import { WallTime } from './wall-time';

export interface SpanRelayOptions {
  readonly clock: Clock;
  /** The longest that a span waits for others. */
  readonly delayMs: number;
  /** Bytes that are handed over at a time, but for a span that is larger by itself. */
  readonly maxBytes: number;
  /** Takes encoded spans, one after the other: for `Tracing.relay` of another process. They are not altered afterwards. */
  readonly hand: (encoded: Buffer, spans: number) => void;
}

/** Far more than what relays is about to record. */
const limits = { attributes: 128, events: 128, links: 128, valueLength: 4096 };

/** Records the spans of a process that sends none by itself: another one, which does, is handed them. */
export class SpanRelay implements SpanSink {
  readonly tracer: Tracer = new SinkTracer(this, limits);
  readonly #options: SpanRelayOptions;
  readonly #wall: WallTime;
  readonly #stamp: WallStamp;
  readonly #writer = new BackWriter();
  #parts: Buffer[] = [];
  #bytes = 0;
  #cancel: CancelTimer | undefined;

  constructor(options: SpanRelayOptions) {
    this.#options = options;
    this.#wall = new WallTime(options.clock);
    this.#stamp = new WallStamp(this.#wall);
  }

  /** A wall-clock time, in ms with a fraction, on the clock. */
  clockTime(wallMs: number): number {
    return wallMs - this.#wall.offset;
  }

  ended(span: RecordedSpan): void {
    const writer = this.#writer;
    writer.clear();
    encodeSpan(writer, span, this.#stamp);
    if (this.#bytes + writer.length > this.#options.maxBytes) this.flush();
    this.#parts.push(Buffer.from(writer.buffer.subarray(writer.at)));
    this.#bytes += writer.length;
    this.#cancel ??= this.#options.clock.schedule(this.#options.delayMs, () => this.flush());
  }

  /** Hands over what waits. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wall.check();
    if (this.#parts.length === 0) return;
    const parts = this.#parts;
    this.#parts = [];
    this.#bytes = 0;
    this.#options.hand(Buffer.concat(parts), parts.length);
  }
}
