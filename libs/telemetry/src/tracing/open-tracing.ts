import type { Clock, Random } from '@shoal/core';
import type { Logger } from '../logger';
import { type Environment, type TraceEnvironment, readTraceEnvironment } from './environment';
import type * as OtlpDelegate from './otlp-delegate';
import { noPropagator, traceContextPropagator } from './propagation';
import { SinkTracer } from './recorded-span';
import { RequestSampler } from './request-sampler';
import { type Resource, encodeEnvelope } from './resource';
import { SamplingDoor } from './sampling-door';
import type { Tracer } from './span';
import { SpanExporter } from './span-exporter';
import { SpanQueue } from './span-queue';
import type { TraceConfig } from './trace-config';
import type { TraceDefaults, Tracing } from './tracing';
import { WallStamp } from './wall-stamp';
import { WallTime } from './wall-time';

export interface TracingOptions {
  /** OpenTelemetry's variables; its exporters read theirs from process.env, so that this is to be. */
  readonly env: Environment;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Of this program. */
  readonly version: string;
  /** Facts about this process that go with its spans: service.instance.id, host.name, process.pid … */
  readonly resource: Resource;
  /** Triton's settings of the server, if any were given. */
  readonly settings?: TraceConfig['settings'];
  /** Whether requests are recorded only by such settings: without them the level is OFF. OTEL_TRACES_SAMPLER goes before that. */
  readonly settingsOff?: boolean;
}

/** What has become of the spans of this process so far. */
export interface SpanCounts {
  /** A receiver took them. */
  readonly exported: number;
  /** They found the queue full. */
  readonly dropped: number;
  /** No receiver took them. */
  readonly lost: number;
  /** Exports that failed for good: what was lost went with them. */
  readonly failedExports: number;
}

/** Tracing that exports. */
export interface ExportedTracing extends Tracing {
  readonly environment: TraceEnvironment;
  counts(): SpanCounts;
  /** Sends what waits, for at most `graceMs`. To be called last: what ends later is lost. */
  close(graceMs: number): Promise<void>;
}

/** Of the encoded spans that wait; by count, the default is 2048 spans of some 300 bytes. */
const maxQueueBytes = 32 * 2 ** 20;
/** gRPC receivers take 4 MiB at most unless they are told otherwise. */
const maxBatchBytes = 2 * 2 ** 20;

/** Opens the export of spans as OpenTelemetry's variables say; undefined when they say that there is none: then nothing of it is even loaded. */
export function openTracing(options: TracingOptions): ExportedTracing | undefined {
  const { clock, random, logger, version } = options;
  const warn = (text: string) => logger.warn(text);
  const environment = readTraceEnvironment(options.env, warn);
  if (!environment) return undefined;
  // Not before it is needed: it takes a fifth of a second.
  const { createSpanSender } = require('./otlp-delegate') as typeof OtlpDelegate;
  const wall = new WallTime(clock);
  const { queueSpans: spans, batchSpans, delayMs, exportTimeoutMs: timeoutMs } = environment;
  const queue = new SpanQueue(
    { spans, bytes: maxQueueBytes, batchSpans, batchBytes: maxBatchBytes },
    new WallStamp(wall),
    (full) => exporter.grown(full),
  );
  const exporter = new SpanExporter(queue, createSpanSender(environment.protocol, warn), {
    clock,
    logger,
    delayMs,
    timeoutMs,
    onExport: () => wall.check(),
  });
  const tracers = new Map<string, Tracer>();
  const envelopeOf = (service: string) =>
    encodeEnvelope(resourceOf(service, options, environment), { name: `shoal/${service}`, version });
  const tracer = (service: string) => {
    let made = tracers.get(service);
    if (!made) {
      made = new SinkTracer(queue.sink(envelopeOf(service)), environment.limits);
      tracers.set(service, made);
    }
    return made;
  };
  const sampler = new RequestSampler(environment.sampler, random);
  return {
    environment,
    tracer,
    relay: (service) => queue.relay(envelopeOf(service)),
    sampler,
    defaults: defaultsOf(options, environment),
    door: new SamplingDoor(tracer('router'), sampler, environment.traceContext),
    propagator: environment.traceContext ? traceContextPropagator : noPropagator,
    counts: () => ({
      exported: exporter.exported,
      dropped: queue.dropped,
      lost: exporter.lost,
      failedExports: exporter.failedExports,
    }),
    close: (graceMs) => exporter.close(graceMs),
  };
}

/** What the user says of the resource goes first. */
function resourceOf(
  service: string,
  { resource, version }: TracingOptions,
  { resource: given }: TraceEnvironment,
): Resource {
  return {
    'service.name': `shoal-${service}`,
    'service.version': version,
    'telemetry.sdk.name': 'shoal',
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.version': version,
    ...resource,
    ...given,
  };
}

function defaultsOf(
  { settings, settingsOff = false }: TracingOptions,
  { endpoint, queueSpans, batchSpans, delayMs, samplerGiven }: TraceEnvironment,
): TraceDefaults {
  const off = settingsOff && !samplerGiven ? {} : undefined;
  return { settings: settings ?? off, url: endpoint, queueSpans, batchSpans, delayMs };
}
