import type { Clock } from '@shoal/core';
import { type Environment, readMetricEnvironment } from '../../tracing/environment';
import type { MetricRegistry } from '../registry';
import type * as OtlpMetrics from './otlp-metrics';

export interface MetricExportOptions {
  readonly env: Environment;
  readonly clock: Clock;
  readonly warn: (text: string) => void;
  readonly version: string;
  /** Facts about this process; what the user says of it goes first. */
  readonly resource: Readonly<Record<string, string | number>>;
}

/** Metrics that are pushed. */
export interface MetricExport {
  /** Exports that failed for good. */
  readonly failedExports: number;
  /** Sends the last figures, for at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Whether OpenTelemetry's variables ask for metrics to be pushed. */
export function wantsMetricExport(env: Environment): boolean {
  return readMetricEnvironment(env, () => undefined) !== undefined;
}

/** Begins to push the metrics as OpenTelemetry's variables say; undefined when they do not: then nothing of it is even loaded. */
export function openMetricExport(registry: MetricRegistry, options: MetricExportOptions): MetricExport | undefined {
  const environment = readMetricEnvironment(options.env, options.warn);
  if (!environment) return undefined;
  const { exportMetrics } = require('./otlp-metrics') as typeof OtlpMetrics;
  const exported = exportMetrics(registry, options, environment);
  return {
    get failedExports() {
      return exported.failedExports;
    },
    async close(graceMs) {
      let cancel: () => void = () => undefined;
      const late = new Promise<void>((resolve) => (cancel = options.clock.schedule(graceMs, resolve)));
      await Promise.race([exported.close(graceMs).catch(() => undefined), late]);
      cancel();
    },
  };
}
