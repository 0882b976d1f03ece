import type { ExportedTracing, MetricRegistry } from '@shoal/telemetry';

/** Shows what becomes of spans. Without tracing nothing does. */
export function observeSpans(registry: MetricRegistry, tracing: ExportedTracing | undefined): void {
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
    { name: 'shoal_exports_failed_total', help: 'Exports of spans that failed for good.' },
    (sample) => sample(tracing?.counts().failedExports ?? 0),
  );
}
