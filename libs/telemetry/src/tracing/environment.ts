import type { SpanLimits } from './recorded-span';
import type { EnvironmentSampler } from './request-sampler';
import type { Resource } from './resource';

/** Variables by name, as process.env. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type OtlpProtocol = 'grpc' | 'http/protobuf';

/** What OpenTelemetry's standard variables say of traces; those of the exporter itself are read by OpenTelemetry's own code. */
export interface TraceEnvironment {
  readonly protocol: OtlpProtocol;
  /** OTEL_BSP_…: spans, and ms. */
  readonly queueSpans: number;
  readonly batchSpans: number;
  readonly delayMs: number;
  readonly exportTimeoutMs: number;
  readonly limits: SpanLimits;
  readonly sampler: EnvironmentSampler;
  /** Whether OTEL_TRACES_SAMPLER is set. */
  readonly samplerGiven: boolean;
  /** Whether W3C's headers are read and written. */
  readonly traceContext: boolean;
  readonly resource: Resource;
  /** For people, without what may be a secret; '' = OpenTelemetry's default, a collector on this machine. */
  readonly endpoint: string;
}

/** OpenTelemetry's defaults, but for two: a batch's span links to each member, and no text is without bound. */
const defaults = {
  queueSpans: 2048,
  batchSpans: 512,
  delayMs: 5000,
  exportTimeoutMs: 30_000,
  metricIntervalMs: 60_000,
  attributes: 128,
  events: 128,
  links: 32_768,
  valueLength: 4096,
};

/**
 * Reads the variables. Undefined: nothing is exported, which is so unless an OTLP endpoint is named or OTEL_TRACES_EXPORTER says otlp.
 * What is not understood is told and has no effect, as the specification wants it: telemetry does not end a server.
 */
export function readTraceEnvironment(env: Environment, warn: (text: string) => void): TraceEnvironment | undefined {
  const reader = new Reader(env, warn);
  const endpoint = reader.text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? reader.text('OTEL_EXPORTER_OTLP_ENDPOINT');
  if (!isExported(reader, 'TRACES', endpoint !== undefined)) return undefined;
  const queueSpans = reader.count('OTEL_BSP_MAX_QUEUE_SIZE') ?? defaults.queueSpans;
  return {
    protocol: protocolOf(reader, 'TRACES'),
    queueSpans,
    batchSpans: Math.min(queueSpans, reader.count('OTEL_BSP_MAX_EXPORT_BATCH_SIZE') ?? defaults.batchSpans),
    delayMs: reader.count('OTEL_BSP_SCHEDULE_DELAY', 0) ?? defaults.delayMs,
    exportTimeoutMs: reader.count('OTEL_BSP_EXPORT_TIMEOUT') ?? defaults.exportTimeoutMs,
    limits: {
      attributes:
        reader.count('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 0) ??
        reader.count('OTEL_ATTRIBUTE_COUNT_LIMIT', 0) ??
        defaults.attributes,
      events: reader.count('OTEL_SPAN_EVENT_COUNT_LIMIT', 0) ?? defaults.events,
      links: reader.count('OTEL_SPAN_LINK_COUNT_LIMIT', 0) ?? defaults.links,
      valueLength:
        reader.count('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 0) ??
        reader.count('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', 0) ??
        defaults.valueLength,
    },
    sampler: samplerOf(reader),
    samplerGiven: reader.text('OTEL_TRACES_SAMPLER') !== undefined,
    traceContext: hasTraceContext(reader),
    resource: resourceOf(reader),
    endpoint: withoutSecrets(endpoint ?? ''),
  };
}

/** Whoever may ask for trace settings sees it: no name and password before the host, and no query, which may hold a key. */
function withoutSecrets(endpoint: string): string {
  return endpoint.replace(/^([^/?#]*:\/\/)?[^/?#]*@/, '$1').replace(/[?#].*$/s, '');
}

/** OpenTelemetry's reader takes a timer of Node's, which at more than this fires each millisecond. */
const maxTimerMs = 2 ** 31 - 1;

/** Of variables that there are for each kind of telemetry. */
type Signal = 'TRACES' | 'METRICS';

/** What they say of metrics; those of the exporter itself are read by OpenTelemetry's own code. */
export interface MetricEnvironment {
  readonly protocol: OtlpProtocol;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly resource: Resource;
}

/** Undefined: none are pushed, which is so unless OTEL_METRICS_EXPORTER says otlp, or an endpoint for metrics is named. */
export function readMetricEnvironment(env: Environment, warn: (text: string) => void): MetricEnvironment | undefined {
  const reader = new Reader(env, warn);
  // An endpoint for all is no wish for metrics: they are there to be scraped, and would be counted twice.
  const named = reader.text('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT') !== undefined;
  if (!isExported(reader, 'METRICS', named)) return undefined;
  const preference = reader.text('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE')?.toLowerCase();
  if (preference !== undefined && preference !== 'cumulative') {
    warn(`OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: ${preference} is not to be had; it is cumulative`);
  }
  const intervalMs = Math.min(maxTimerMs, reader.count('OTEL_METRIC_EXPORT_INTERVAL') ?? defaults.metricIntervalMs);
  const timeoutMs = reader.count('OTEL_METRIC_EXPORT_TIMEOUT') ?? defaults.exportTimeoutMs;
  return {
    protocol: protocolOf(reader, 'METRICS'),
    intervalMs,
    timeoutMs: Math.min(timeoutMs, intervalMs),
    resource: resourceOf(reader),
  };
}

function isExported(reader: Reader, signal: Signal, named: boolean): boolean {
  if (reader.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return false;
  const exporters = reader.text(`OTEL_${signal}_EXPORTER`);
  if (exporters === undefined) return named;
  const names = exporters.split(',').map((name) => name.trim());
  for (const name of names) {
    // Prometheus is served in any case, by flags.
    const known = name === 'otlp' || name === 'none' || (signal === 'METRICS' && name === 'prometheus');
    if (!known) reader.warn(`OTEL_${signal}_EXPORTER: there is no exporter ${name}, only otlp`);
  }
  return names.includes('otlp');
}

function protocolOf(reader: Reader, signal: Signal): OtlpProtocol {
  const name = reader.text(`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`) ?? reader.text('OTEL_EXPORTER_OTLP_PROTOCOL');
  if (name === 'grpc') return 'grpc';
  if (name !== undefined && name !== 'http/protobuf') {
    reader.warn(`OTEL_EXPORTER_OTLP_PROTOCOL: ${name} is not spoken, http/protobuf and grpc are; it is http/protobuf`);
  }
  return 'http/protobuf';
}

function samplerOf(reader: Reader): EnvironmentSampler {
  const all: EnvironmentSampler = { parentBased: true, ratio: 1 };
  const name = reader.text('OTEL_TRACES_SAMPLER');
  if (name === undefined) return all;
  const [, parent, kind] = /^(parentbased_)?(always_on|always_off|traceidratio)$/.exec(name) ?? [];
  if (kind === undefined) {
    reader.warn(`OTEL_TRACES_SAMPLER: there is no sampler ${name}; it is parentbased_always_on`);
    return all;
  }
  const parentBased = parent !== undefined;
  if (kind !== 'traceidratio') return { parentBased, ratio: kind === 'always_on' ? 1 : 0 };
  const argument = reader.text('OTEL_TRACES_SAMPLER_ARG');
  const ratio = argument === undefined ? 1 : Number(argument);
  if (ratio >= 0 && ratio <= 1) return { parentBased, ratio };
  reader.warn(`OTEL_TRACES_SAMPLER_ARG=${argument}: expected a number from 0 to 1; it is 1`);
  return { parentBased, ratio: 1 };
}

function hasTraceContext(reader: Reader): boolean {
  const names = (reader.text('OTEL_PROPAGATORS') ?? 'tracecontext,baggage').split(',').map((name) => name.trim());
  if (names.includes('none')) return false;
  for (const name of names) {
    if (name !== 'tracecontext' && name !== 'baggage') {
      reader.warn(`OTEL_PROPAGATORS: there is no propagator ${name}, only tracecontext`);
    }
  }
  return names.includes('tracecontext');
}

/** OTEL_RESOURCE_ATTRIBUTES, of which a later one of the same name wins, and OTEL_SERVICE_NAME, which wins over it. */
function resourceOf(reader: Reader): Resource {
  const resource: Record<string, string> = {};
  const list = reader.text('OTEL_RESOURCE_ATTRIBUTES') ?? '';
  for (const part of list.split(',')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    try {
      if (equals < 1) throw new Error('no key');
      resource[decodeURIComponent(part.slice(0, equals).trim())] = decodeURIComponent(part.slice(equals + 1).trim());
    } catch {
      reader.warn(`OTEL_RESOURCE_ATTRIBUTES: expected KEY=VALUE with commas between them; none of them is taken`);
      return serviceName(reader, {});
    }
  }
  return serviceName(reader, resource);
}

function serviceName(reader: Reader, resource: Resource): Resource {
  const name = reader.text('OTEL_SERVICE_NAME');
  return name === undefined ? resource : { ...resource, 'service.name': name };
}

/** Empty variables are as if they were not set. */
class Reader {
  readonly #env: Environment;
  readonly warn: (text: string) => void;

  constructor(env: Environment, warn: (text: string) => void) {
    this.#env = env;
    this.warn = warn;
  }

  text(name: string): string | undefined {
    const text = this.#env[name]?.trim();
    return text === '' ? undefined : text;
  }

  count(name: string, least = 1): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    this.warn(`${name}=${text}: expected a whole number from ${least}; it has no effect`);
    return undefined;
  }
}
