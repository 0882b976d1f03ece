import { ShoalError } from '@shoal/core';
import { MetricRegistry, type MetricsServer, observeMachine, observeProcess, serveMetrics } from '@shoal/telemetry';
import type { SignalShell } from '../first-signal';
import { project } from '../project';
import type { MetricsConfig } from './flags';

/** The metrics of this process, and whoever may see them. */
export interface ProcessMetrics {
  /** Undefined: nobody wants to know, and nothing is measured. */
  readonly registry: MetricRegistry | undefined;
  close(): Promise<void>;
}

/**
 * Opens what the configuration asks for.
 * @throws ShoalError UNAVAILABLE when the port cannot be bound.
 */
export async function openMetrics(
  config: MetricsConfig,
  shell: Pick<SignalShell, 'clock' | 'print'>,
): Promise<ProcessMetrics> {
  if (!config.allowMetrics) return { registry: undefined, close: () => Promise.resolve() };
  const { clock } = shell;
  const registry = new MetricRegistry(clock);
  const server = await listen(registry, config);
  const endProcess = observeProcess(registry, clock, project.version);
  if (config.allowCpuMetrics) observeMachine(registry, clock, config.metricsIntervalMs);
  const host = config.metricsAddress.replace(/^[^[]*:.*$/, '[$&]');
  shell.print(`Serves metrics at http://${host}:${server.port}/metrics`);
  return {
    registry,
    async close() {
      endProcess();
      await server.close();
    },
  };
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
