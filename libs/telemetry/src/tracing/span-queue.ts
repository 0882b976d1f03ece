import { BackWriter } from './back-writer';
import { encodeSpan } from './encode-span';
import type { RecordedSpan, SpanSink } from './recorded-span';
import type { Envelope } from './resource';
import type { WallStamp } from './wall-stamp';

/** What may wait. */
export interface QueueLimits {
  /** Spans that wait, beside those that are being sent. */
  readonly spans: number;
  /** Bytes of theirs. */
  readonly bytes: number;
  /** Spans in one export. */
  readonly batchSpans: number;
  /** Bytes in one export, but for a span that is larger by itself. */
  readonly batchBytes: number;
}

/** An `ExportTraceServiceRequest`, encoded. */
export interface EncodedBatch {
  readonly request: Buffer;
  readonly spans: number;
}

/** The spans of one service, encoded one after the other. */
interface Part {
  readonly envelope: Envelope;
  buffer: Buffer;
  length: number;
}

/**
 * Spans that wait to be sent, encoded as they end: each service's in its own part of the batch that is being filled; full batches are
 * complete requests. What finds it full is dropped and counted.
 */
export class SpanQueue {
  /** Spans that found it full. */
  dropped = 0;
  readonly #limits: QueueLimits;
  readonly #stamp: WallStamp;
  readonly #grown: (full: boolean) => void;
  readonly #writer = new BackWriter();
  readonly #parts: Part[] = [];
  /** Of the batch that is being filled. */
  #spans = 0;
  #bytes = 0;
  readonly #full: EncodedBatch[] = [];
  #fullSpans = 0;
  #fullBytes = 0;

  /** @param grown Called when a first span waits, and with true when a batch is full. */
  constructor(limits: QueueLimits, stamp: WallStamp, grown: (full: boolean) => void) {
    this.#limits = limits;
    this.#stamp = stamp;
    this.#grown = grown;
  }

  /** Spans that wait. */
  get waiting(): number {
    return this.#fullSpans + this.#spans;
  }

  /** Takes the spans of one service. */
  sink(envelope: Envelope): SpanSink {
    const part: Part = { envelope, buffer: Buffer.alloc(0), length: 0 };
    this.#parts.push(part);
    return { ended: (span) => this.#add(part, span) };
  }

  /** Takes spans of one service that another process has encoded (`SpanRelay`). */
  relay(envelope: Envelope): (encoded: Uint8Array, spans: number) => void {
    const part: Part = { envelope, buffer: Buffer.alloc(0), length: 0 };
    this.#parts.push(part);
    return (encoded, spans) => {
      if (this.#admits(spans)) this.#append(part, encoded, spans);
    };
  }

  /** The next request; of what waits even when it is not a full batch. Undefined: nothing waits. */
  take(): EncodedBatch | undefined {
    if (this.#full.length === 0 && this.#spans > 0) this.#seal();
    const batch = this.#full.shift();
    if (batch) {
      this.#fullSpans -= batch.spans;
      this.#fullBytes -= batch.request.length;
    }
    return batch;
  }

  /** Whether a full batch waits. */
  get hasFull(): boolean {
    return this.#full.length > 0;
  }

  #add(part: Part, span: RecordedSpan): void {
    if (!this.#admits(1)) return;
    const writer = this.#writer;
    writer.clear();
    encodeSpan(writer, span, this.#stamp);
    this.#append(part, writer.buffer.subarray(writer.at), 1);
  }

  /** Whether there is room; what finds none is counted. */
  #admits(spans: number): boolean {
    const { spans: maxSpans, bytes: maxBytes } = this.#limits;
    if (this.#fullSpans + this.#spans < maxSpans && this.#fullBytes + this.#bytes < maxBytes) return true;
    this.dropped += spans;
    return false;
  }

  #append(part: Part, encoded: Uint8Array, spans: number): void {
    const { batchSpans, batchBytes } = this.#limits;
    if (this.#bytes > 0 && this.#bytes + encoded.length > batchBytes) this.#seal();
    const first = this.#spans === 0;
    append(part, encoded);
    this.#bytes += encoded.length;
    this.#spans += spans;
    if (this.#spans >= batchSpans || this.#bytes >= batchBytes) {
      this.#seal();
      this.#grown(true);
    } else if (first) this.#grown(this.#full.length > 0);
  }

  #seal(): void {
    const batch = { request: joinParts(this.#parts), spans: this.#spans };
    this.#full.push(batch);
    this.#fullSpans += batch.spans;
    this.#fullBytes += batch.request.length;
    for (const part of this.#parts) part.length = 0;
    this.#spans = 0;
    this.#bytes = 0;
  }
}

function append(part: Part, encoded: Uint8Array): void {
  const length = part.length + encoded.length;
  if (length > part.buffer.length) {
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * part.buffer.length, length, 16_384));
    part.buffer.copy(larger, 0, 0, part.length);
    part.buffer = larger;
  }
  part.buffer.set(encoded, part.length);
  part.length = length;
}

/** One `ResourceSpans` for each service that has spans. */
function joinParts(parts: readonly Part[]): Buffer {
  const pieces: Uint8Array[] = [];
  for (const { envelope, buffer, length } of parts) {
    if (length === 0) continue;
    const scoped = header(0x12, envelope.scope.length + length);
    const inner = envelope.resource.length + scoped.length + envelope.scope.length + length;
    pieces.push(header(0x0a, inner), envelope.resource, scoped, envelope.scope, buffer.subarray(0, length));
  }
  return Buffer.concat(pieces);
}

/** A tag and a length. */
function header(tag: number, length: number): Buffer {
  const writer = new BackWriter(80);
  writer.varint(length);
  writer.byte(tag);
  return writer.buffer.subarray(writer.at);
}
