import { hostname } from 'node:os';
import { type Clock, systemRandom } from '@shoal/core';
import { type ExportedTracing, type Logger, environmentWith, openTracing, parseTraceConfig } from '@shoal/telemetry';
import { project } from '../project';
import type { TracingConfig } from './flags';

/** What waits at the end is sent for at most so long. */
export const flushMs = 5000;

/**
 * Opens the tracing of this process, as its flags and OpenTelemetry's variables say; undefined: it exports nothing.
 * @param id Of the process, among those of the service.
 * @throws ShoalError INVALID_ARGUMENT for a flag that is not understood.
 */
export function openProcessTracing(
  config: TracingConfig,
  id: string,
  clock: Clock,
  logger: Logger,
): ExportedTracing | undefined {
  const given = parseTraceConfig(config.traceConfig);
  // OpenTelemetry's exporters read their variables from there.
  if (given) Object.assign(process.env, environmentWith(given, process.env));
  return openTracing({
    env: process.env,
    settings: given?.settings,
    settingsOff: given !== undefined,
    clock,
    random: systemRandom,
    logger,
    version: project.version,
    resource: {
      'service.instance.id': id,
      'host.name': hostname(),
      'process.pid': process.pid,
      'process.runtime.name': 'nodejs',
      'process.runtime.version': process.versions.node,
    },
  });
}
