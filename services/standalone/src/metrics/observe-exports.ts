import type { ExportedTracing } from '@shoal/telemetry';
import type { ProcessMetrics } from './process-metrics';

/** Shows what becomes of what is exported. */
export function observeExports(metrics: ProcessMetrics, tracing: ExportedTracing | undefined): void {
  const { registry } = metrics;
  if (registry === undefined) return;
  registry.observe('counter', { name: 'shoal_spans_exported_total', help: 'Spans that a receiver took.' }, (sample) =>
    sample(tracing?.counts().exported ?? 0),
  );
  registry.observe(
    'counter',
    {
      name: 'shoal_spans_dropped_total',
      help: 'Spans that found their queue full, or that no receiver took.',
      labels: ['reason'],
    },
    (sample) => {
      const { dropped = 0, lost = 0 } = tracing?.counts() ?? {};
      sample(dropped, 'queue_full');
      sample(lost, 'export_failed');
    },
  );
  registry.observe(
    'counter',
    {
      name: 'shoal_exports_failed_total',
      help: 'Exports that failed for good, of traces and of metrics.',
      labels: ['signal'],
    },
    (sample) => {
      sample(tracing?.counts().failedExports ?? 0, 'traces');
      sample(metrics.failedExports, 'metrics');
    },
  );
}
