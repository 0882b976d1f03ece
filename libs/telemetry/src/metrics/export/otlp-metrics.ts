import type { Attributes, HrTime } from '@opentelemetry/api';
import { OTLPMetricExporter as GrpcExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as HttpExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  type CollectionResult,
  type MetricProducer,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { listenToDiagnostics } from '../../diagnostics';
import type { MetricRegistry } from '../registry';
import type { MetricExport, MetricExportOptions } from './open-metric-export';
import { metricData } from './metric-data';
import type { MetricEnvironment } from '../../tracing/environment';

/** Data points in one export: gRPC receivers take 4 MiB at most unless they are told otherwise. */
const maxPoints = 4_000;

/**
 * Exports a registry with OpenTelemetry's reader and exporters. The only file that needs them, loaded only where metrics are exported.
 */
export function exportMetrics(
  registry: MetricRegistry,
  { clock, warn, version, resource }: MetricExportOptions,
  environment: MetricEnvironment,
): MetricExport {
  listenToDiagnostics(warn);
  const startTime = hrTime(clock.epochMs());
  const made = resourceFromAttributes({ ...resource, ...environment.resource } as Attributes);
  const producer: MetricProducer = {
    collect(): Promise<CollectionResult> {
      const endTime = hrTime(clock.epochMs());
      const metrics = registry
        .families()
        .map((family) => metricData(family, startTime, endTime))
        .filter(({ dataPoints }) => dataPoints.length > 0);
      const scopeMetrics = [{ scope: { name: 'shoal', version }, metrics }];
      return Promise.resolve({ resourceMetrics: { resource: made, scopeMetrics }, errors: [] });
    },
  };
  const counts = { failedExports: 0 };
  const exporter = environment.protocol === 'grpc' ? new GrpcExporter() : new HttpExporter();
  const reader = new PeriodicExportingMetricReader({
    exporter: counting(exporter, counts),
    exportIntervalMillis: environment.intervalMs,
    exportTimeoutMillis: environment.timeoutMs,
    maxExportBatchSize: maxPoints,
  });
  reader.setMetricProducer(producer);
  return {
    get failedExports() {
      return counts.failedExports;
    },
    close: () => reader.shutdown(),
  };
}

function counting(exporter: PushMetricExporter, counts: { failedExports: number }): PushMetricExporter {
  return {
    export(metrics, done) {
      exporter.export(metrics, (result) => {
        // Of @opentelemetry/core's ExportResultCode: SUCCESS.
        if ((result.code as number) !== 0) counts.failedExports += 1;
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}

function hrTime(epochMs: number): HrTime {
  return [Math.floor(epochMs / 1000), (epochMs % 1000) * 1e6];
}
