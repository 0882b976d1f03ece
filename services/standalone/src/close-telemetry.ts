import type { ExportedTracing } from '@shoal/telemetry';
import type { ProcessMetrics } from './metrics/process-metrics';
import { flushMs } from './tracing/process-tracing';

/** Sends the last spans and the last metrics, both at once: a receiver that does not answer is waited for only once. */
export async function closeTelemetry(
  tracing: Pick<ExportedTracing, 'close'> | undefined,
  metrics: Pick<ProcessMetrics, 'close'>,
  graceMs = flushMs,
): Promise<void> {
  await Promise.all([tracing?.close(graceMs), metrics.close()]);
}
