import path from 'node:path';
import { type Type, loadSync } from 'protobufjs';

/** A span as a receiver sees it: ids in hexadecimal, times in ns since 1970. */
export interface ReceivedSpan {
  /** service.name of its resource. */
  readonly service: string;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: string;
  readonly name: string;
  readonly kind: 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER' | 'UNSPECIFIED';
  readonly traceId: string;
  readonly spanId: string;
  /** '' = a root. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly flags: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly at: bigint }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly traceState: string }[];
  readonly status: 'UNSET' | 'OK' | 'ERROR';
  readonly message: string;
  readonly dropped: { readonly attributes: number; readonly events: number; readonly links: number };
}

/** One data point of a metric. */
export interface ReceivedPoint {
  readonly service: string;
  readonly metric: string;
  readonly unit: string;
  readonly type: 'gauge' | 'sum' | 'histogram';
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Of a gauge and a sum; a histogram's sum. */
  readonly value: number;
  /** Of a histogram. */
  readonly count: number;
  readonly buckets: readonly number[];
  readonly bounds: readonly number[];
  readonly exemplars: readonly { readonly traceId: string; readonly spanId: string; readonly value: number }[];
}

export const protoDir = path.join(__dirname, 'proto');

const root = loadSync([path.join(protoDir, 'collector-trace.proto'), path.join(protoDir, 'collector-metrics.proto')]);
const traceRequest = root.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest');
const metricsRequest = root.lookupType('opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest');

/* As protobufjs gives it: bytes in base64, 64 bits as decimal text, enums by name. */
interface KeyValue {
  readonly key?: string;
  readonly value?: Readonly<Record<string, unknown>>;
}
interface Group {
  readonly resource?: { readonly attributes?: readonly KeyValue[] };
}
interface RawSpan {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly traceState?: string;
  readonly parentSpanId?: string;
  readonly flags?: number;
  readonly name?: string;
  readonly kind?: string;
  readonly startTimeUnixNano?: string;
  readonly endTimeUnixNano?: string;
  readonly attributes?: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
  readonly events?: readonly { readonly name?: string; readonly timeUnixNano?: string }[];
  readonly droppedEventsCount?: number;
  readonly links?: readonly { readonly traceId?: string; readonly spanId?: string; readonly traceState?: string }[];
  readonly droppedLinksCount?: number;
  readonly status?: { readonly code?: string; readonly message?: string };
}
interface RawPoint {
  readonly attributes?: readonly KeyValue[];
  readonly asDouble?: number;
  readonly asInt?: string;
  readonly sum?: number;
  readonly count?: string;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
  readonly exemplars?: readonly (RawPoint & { readonly traceId?: string; readonly spanId?: string })[];
}
interface RawMetric {
  readonly name?: string;
  readonly unit?: string;
  readonly gauge?: { readonly dataPoints?: readonly RawPoint[] };
  readonly sum?: { readonly dataPoints?: readonly RawPoint[] };
  readonly histogram?: { readonly dataPoints?: readonly RawPoint[] };
}

/** The spans of an ExportTraceServiceRequest. @throws Error for bytes that are none. */
export function decodeSpans(request: Uint8Array): ReceivedSpan[] {
  const { resourceSpans = [] } = toPlain(traceRequest, request) as {
    resourceSpans?: readonly (Group & {
      scopeSpans?: readonly { scope?: { name?: string }; spans?: readonly RawSpan[] }[];
    })[];
  };
  return resourceSpans.flatMap((group) => {
    const resource = attributesOf(group.resource?.attributes);
    return (group.scopeSpans ?? []).flatMap(({ scope, spans }) =>
      (spans ?? []).map((span) => toSpan(span, resource, scope?.name ?? '')),
    );
  });
}

function toSpan(span: RawSpan, resource: Readonly<Record<string, unknown>>, scope: string): ReceivedSpan {
  return {
    service: textOf(resource['service.name']),
    resource,
    scope,
    name: span.name ?? '',
    kind: (span.kind ?? 'SPAN_KIND_UNSPECIFIED').replace('SPAN_KIND_', '') as ReceivedSpan['kind'],
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId),
    traceState: span.traceState ?? '',
    flags: span.flags ?? 0,
    start: BigInt(span.startTimeUnixNano ?? 0),
    end: BigInt(span.endTimeUnixNano ?? 0),
    attributes: attributesOf(span.attributes),
    events: (span.events ?? []).map(({ name = '', timeUnixNano = 0 }) => ({ name, at: BigInt(timeUnixNano) })),
    links: (span.links ?? []).map((link) => ({
      traceId: hex(link.traceId),
      spanId: hex(link.spanId),
      traceState: link.traceState ?? '',
    })),
    status: (span.status?.code ?? 'STATUS_CODE_UNSET').replace('STATUS_CODE_', '') as ReceivedSpan['status'],
    message: span.status?.message ?? '',
    dropped: {
      attributes: span.droppedAttributesCount ?? 0,
      events: span.droppedEventsCount ?? 0,
      links: span.droppedLinksCount ?? 0,
    },
  };
}

/** The data points of an ExportMetricsServiceRequest. @throws Error for bytes that are none. */
export function decodePoints(request: Uint8Array): ReceivedPoint[] {
  const { resourceMetrics = [] } = toPlain(metricsRequest, request) as {
    resourceMetrics?: readonly (Group & { scopeMetrics?: readonly { metrics?: readonly RawMetric[] }[] })[];
  };
  return resourceMetrics.flatMap((group) => {
    const service = textOf(attributesOf(group.resource?.attributes)['service.name']);
    return (group.scopeMetrics ?? []).flatMap(({ metrics }) =>
      (metrics ?? []).flatMap((metric) =>
        (['gauge', 'sum', 'histogram'] as const).flatMap((type) =>
          (metric[type]?.dataPoints ?? []).map((point) => toPoint(service, metric, type, point)),
        ),
      ),
    );
  });
}

function toPoint(service: string, metric: RawMetric, type: ReceivedPoint['type'], point: RawPoint): ReceivedPoint {
  return {
    service,
    metric: metric.name ?? '',
    unit: metric.unit ?? '',
    type,
    attributes: attributesOf(point.attributes),
    value: numberOf(point),
    count: Number(point.count ?? 0),
    buckets: (point.bucketCounts ?? []).map(Number),
    bounds: point.explicitBounds ?? [],
    exemplars: (point.exemplars ?? []).map((exemplar) => ({
      traceId: hex(exemplar.traceId),
      spanId: hex(exemplar.spanId),
      value: numberOf(exemplar),
    })),
  };
}

function numberOf(point: RawPoint): number {
  return point.asDouble ?? (point.asInt === undefined ? (point.sum ?? 0) : Number(point.asInt));
}

function toPlain(type: Type, bytes: Uint8Array): unknown {
  return type.toObject(type.decode(bytes), { longs: String, enums: String, bytes: String });
}

function attributesOf(pairs: readonly KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key = '', value }) => [key, valueOf(value)]));
}

/** Whole numbers as bigint, so that they are told from doubles. */
function valueOf(value: Readonly<Record<string, unknown>> = {}): unknown {
  if (typeof value['intValue'] === 'string') return BigInt(value['intValue']);
  const array = value['arrayValue'] as { readonly values?: readonly Readonly<Record<string, unknown>>[] } | undefined;
  if (array) return (array.values ?? []).map(valueOf);
  return value['stringValue'] ?? value['boolValue'] ?? value['doubleValue'];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function hex(base64 = ''): string {
  return Buffer.from(base64, 'base64').toString('hex');
}
