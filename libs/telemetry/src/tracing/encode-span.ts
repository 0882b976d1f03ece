import type { BackWriter } from './back-writer';
import { encodeAttribute } from './encode-attribute';
import type { RecordedSpan } from './recorded-span';
import type { SpanKind } from './span';
import type { SpanContext } from './span-context';
import type { WallStamp } from './wall-stamp';

/** OTLP's numbers. */
const kinds: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const statusError = 2;

/**
 * A `Span` of OTLP (opentelemetry/proto/trace/v1/trace.proto) with the tag of `ScopeSpans.spans` before it, so that encoded spans that follow
 * each other are a valid list of them.
 */
export function encodeSpan(writer: BackWriter, span: RecordedSpan, stamp: WallStamp): void {
  const mark = writer.length;
  writer.room();
  // Fields from the last to the first. 16 = flags, fixed32: a tag of two bytes.
  writer.fixed32(span.wire[24]!);
  writer.byte(0x01);
  writer.byte(0x85);
  if (span.failure !== undefined) encodeFailure(writer, span.failure);
  if (span.droppedLinks > 0) encodeCount(writer, 0x70, span.droppedLinks);
  const { links, events, attributes } = span;
  if (links) for (let n = links.length; n-- > 0;) encodeLink(writer, links[n]!);
  if (span.droppedEvents > 0) encodeCount(writer, 0x60, span.droppedEvents);
  if (events) {
    for (let n = events.length; n > 0; n -= 2) {
      encodeEvent(writer, events[n - 2] as string, events[n - 1] as number, stamp);
    }
  }
  if (span.droppedAttributes > 0) encodeCount(writer, 0x50, span.droppedAttributes);
  if (attributes) {
    for (let n = attributes.length; n > 0; n -= 2) {
      encodeAttribute(writer, 0x4a, attributes[n - 2] as string, attributes[n - 1]!);
    }
  }
  writer.room();
  stamp.write(writer, span.endAt);
  writer.byte(0x41);
  stamp.write(writer, span.startAt);
  writer.byte(0x39);
  writer.byte(kinds[span.kind]);
  writer.byte(0x30);
  writer.string(0x2a, span.name);
  writer.room();
  if (span.parent) {
    writer.bytes(span.parent, 16, 24);
    writer.byte(8);
    writer.byte(0x22);
  }
  if (span.traceState !== '') writer.string(0x1a, span.traceState);
  encodeIds(writer, span.wire);
  writer.close(0x12, mark);
}

/** Of a span and of a link they have the same numbers: 1 and 2. */
function encodeIds(writer: BackWriter, wire: Buffer): void {
  writer.room();
  writer.bytes(wire, 16, 24);
  writer.byte(8);
  writer.byte(0x12);
  writer.bytes(wire, 0, 16);
  writer.byte(16);
  writer.byte(0x0a);
}

function encodeCount(writer: BackWriter, tag: number, count: number): void {
  writer.room();
  writer.varint(count);
  writer.byte(tag);
}

function encodeFailure(writer: BackWriter, message: string): void {
  writer.room();
  const mark = writer.length;
  writer.byte(statusError);
  writer.byte(0x18);
  if (message !== '') writer.string(0x12, message);
  writer.close(0x7a, mark);
}

function encodeEvent(writer: BackWriter, name: string, at: number, stamp: WallStamp): void {
  const mark = writer.length;
  writer.string(0x12, name);
  writer.room();
  stamp.write(writer, at);
  writer.byte(0x09);
  writer.close(0x5a, mark);
}

function encodeLink(writer: BackWriter, context: SpanContext): void {
  writer.room();
  const mark = writer.length;
  writer.fixed32(context.wire[24]!);
  writer.byte(0x35);
  if (context.traceState !== '') writer.string(0x1a, context.traceState);
  encodeIds(writer, context.wire);
  writer.close(0x6a, mark);
}
