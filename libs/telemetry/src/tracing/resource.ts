import { BackWriter } from './back-writer';
import { encodeAttribute } from './encode-attribute';
import type { AttributeValue } from './span';

/** What is said once of all spans of a service: attributes, by key. */
export type Resource = Readonly<Record<string, AttributeValue>>;

/** The instrumentation that made the spans. */
export interface Scope {
  readonly name: string;
  readonly version: string;
}

/** The semantic conventions that names of spans and attributes follow. */
export const schemaUrl = 'https://opentelemetry.io/schemas/1.45.0';

/** The unchanging parts of a `ResourceSpans` (opentelemetry/proto/trace/v1/trace.proto), with the tags before them. */
export interface Envelope {
  /** Its `resource`. */
  readonly resource: Buffer;
  /** Of its `ScopeSpans`: `scope` and `schema_url`. */
  readonly scope: Buffer;
}

/** Encodes what is the same in each export. */
export function encodeEnvelope(resource: Resource, scope: Scope): Envelope {
  return { resource: encodeResource(resource), scope: encodeScope(scope) };
}

function encodeResource(resource: Resource): Buffer {
  const writer = new BackWriter();
  for (const [key, value] of Object.entries(resource).toReversed()) encodeAttribute(writer, 0x0a, key, value);
  writer.room();
  writer.close(0x0a, 0);
  return writer.buffer.subarray(writer.at);
}

function encodeScope({ name, version }: Scope): Buffer {
  const writer = new BackWriter();
  writer.string(0x1a, schemaUrl);
  const mark = writer.length;
  writer.string(0x12, version);
  writer.string(0x0a, name);
  writer.room();
  writer.close(0x0a, mark);
  return writer.buffer.subarray(writer.at);
}
