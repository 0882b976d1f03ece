import { hostname } from 'node:os';
import { ShoalError } from '@shoal/core';
import {
  type Logger,
  MetricRegistry,
  type MetricsServer,
  hasGpus,
  observeGpus,
  observeMachine,
  observeProcess,
  openMetricExport,
  serveMetrics,
  wantsMetricExport,
} from '@shoal/telemetry';
import type { SignalShell } from '../first-signal';
import { project } from '../project';
import { flushMs } from '../tracing/process-tracing';
import type { MetricsConfig } from './flags';

/** The metrics of this process, and whoever may see them. */
export interface ProcessMetrics {
  /** Undefined: nobody wants to know, and nothing is measured. */
  readonly registry: MetricRegistry | undefined;
  /** Exports that failed for good. */
  readonly failedExports: number;
  close(): Promise<void>;
}

export interface ProcessMetricsParts {
  /** `shoal` or `shoal-router` …: what the process is called where metrics are pushed to. */
  readonly service: string;
  /** Of the process, among those of the service. */
  readonly id: string;
  /** It runs models, and so tells of GPUs. */
  readonly runsModels: boolean;
  readonly logger: Logger;
  readonly shell: Pick<SignalShell, 'clock' | 'print'>;
}

/**
 * Opens what the configuration and OpenTelemetry's variables ask for.
 * @throws ShoalError UNAVAILABLE when the port cannot be bound.
 */
export async function openMetrics(config: MetricsConfig, parts: ProcessMetricsParts): Promise<ProcessMetrics> {
  const { shell } = parts;
  if (!config.allowMetrics && !wantsMetricExport(process.env)) {
    return { registry: undefined, failedExports: 0, close: () => Promise.resolve() };
  }
  const { clock } = shell;
  const registry = new MetricRegistry(clock);
  const server = config.allowMetrics ? await listen(registry, config) : undefined;
  const endProcess = observeProcess(registry, clock, project.version);
  if (config.allowCpuMetrics) observeMachine(registry, clock, config.metricsIntervalMs);
  const endGpus =
    parts.runsModels && config.allowGpuMetrics && hasGpus()
      ? observeGpus(registry, { intervalMs: config.metricsIntervalMs, warn: (text) => parts.logger.warn(text) })
      : undefined;
  if (server) {
    const host = config.metricsAddress.replace(/^[^[]*:.*$/, '[$&]');
    shell.print(`Serves metrics at http://${host}:${server.port}/metrics`);
  }
  const pushed = push(registry, parts);
  return {
    registry,
    get failedExports() {
      return pushed?.failedExports ?? 0;
    },
    async close() {
      await pushed?.close(flushMs);
      endProcess();
      endGpus?.();
      await server?.close();
    },
  };
}

function push(registry: MetricRegistry, { service, id, logger, shell }: ProcessMetricsParts) {
  return openMetricExport(registry, {
    env: process.env,
    clock: shell.clock,
    warn: (text) => logger.warn(text),
    version: project.version,
    resource: {
      'service.name': service,
      'service.version': project.version,
      'service.instance.id': id,
      'host.name': hostname(),
      'process.pid': process.pid,
      'telemetry.sdk.name': 'shoal',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': project.version,
    },
  });
}

/** A port that is taken is the commonest trouble at start, so it comes with the way out. */
async function listen(registry: MetricRegistry, config: MetricsConfig): Promise<MetricsServer> {
  try {
    return await serveMetrics(registry, config.metricsAddress, config.metricsPort);
  } catch (thrown) {
    if (!(thrown instanceof ShoalError)) throw thrown;
    const wayOut = thrown.message.endsWith('in use')
      ? '--metrics-port=0 takes any free port, --allow-metrics=false serves none'
      : '--metrics-address must name an address of this machine';
    throw new ShoalError('UNAVAILABLE', `${thrown.message} (${wayOut})`, { cause: thrown });
  }
}
