import type { BackWriter } from './back-writer';
import { encodeAttribute } from './encode-attribute';
import { KnownFields } from './known-fields';
import { RecordedSpan } from './recorded-span';
import type { SpanKind } from './span';
import type { SpanContext } from './span-context';
import type { WallStamp } from './wall-stamp';

/** OTLP's numbers. */
const kinds: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const statusError = 2;
const attributeTag = 0x4a;

/** Of each kind at most so many, and of so many characters. */
const maxKnown = 128;
const knownNames = new KnownFields(0x2a, maxKnown);
const knownEvents = new KnownFields(0x12, maxKnown);
const knownPairs = new KnownFields(attributeTag, maxKnown);

/**
 * A `Span` of OTLP (opentelemetry/proto/trace/v1/trace.proto) with the tag of `ScopeSpans.spans` before it, so that encoded spans that follow
 * each other are a valid list of them.
 */
export function encodeSpan(writer: BackWriter, span: RecordedSpan, stamp: WallStamp): void {
  const mark = writer.length;
  writer.room();
  // Fields from the last to the first. 16 = flags, fixed32: a tag of two bytes.
  writer.fixed32(span.ids[span.idsAt + 24]!);
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
      const key = attributes[n - 2] as string;
      const value = attributes[n - 1]!;
      const known = typeof value === 'string' ? knownPairs.pair(key, value) : undefined;
      if (known) writer.field(known);
      else encodeAttribute(writer, attributeTag, key, value);
    }
  }
  writer.room();
  stamp.write(writer, span.endAt);
  writer.byte(0x41);
  stamp.write(writer, span.startAt);
  writer.byte(0x39);
  writer.byte(kinds[span.kind]);
  writer.byte(0x30);
  encodeName(writer, 0x2a, span.name, knownNames);
  writer.room();
  if (span.parentIds) {
    writer.bytes(span.parentIds, span.parentIdsAt + 16, span.parentIdsAt + 24);
    writer.byte(8);
    writer.byte(0x22);
  }
  if (span.traceState !== '') writer.string(0x1a, span.traceState);
  encodeIds(writer, span.ids, span.idsAt);
  writer.close(0x12, mark);
}

/** Of a span and of a link they have the same numbers: 1 and 2. */
function encodeIds(writer: BackWriter, ids: Buffer, at: number): void {
  writer.room();
  writer.bytes(ids, at + 16, at + 24);
  writer.byte(8);
  writer.byte(0x12);
  writer.bytes(ids, at, at + 16);
  writer.byte(16);
  writer.byte(0x0a);
}

/** A text that is probably one of a few. */
function encodeName(writer: BackWriter, tag: number, text: string, known: KnownFields): void {
  const field = known.name(text);
  if (field) writer.field(field);
  else writer.string(tag, text);
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
  encodeName(writer, 0x12, name, knownEvents);
  writer.room();
  stamp.write(writer, at);
  writer.byte(0x09);
  writer.close(0x5a, mark);
}

function encodeLink(writer: BackWriter, context: SpanContext): void {
  writer.room();
  const mark = writer.length;
  const own = context instanceof RecordedSpan;
  const ids = own ? context.ids : context.wire;
  const at = own ? context.idsAt : 0;
  writer.fixed32(ids[at + 24]!);
  writer.byte(0x35);
  if (context.traceState !== '') writer.string(0x1a, context.traceState);
  encodeIds(writer, ids, at);
  writer.close(0x6a, mark);
}
