import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { ShoalError } from '@shoal/core';
import { checkAccess, openGrpcTls } from '@shoal/router';
import { type Logger, createLogger } from '@shoal/telemetry';
import { closeTelemetry } from './close-telemetry';
import type { ServeConfig } from './flags';
import { type SignalShell, firstSignal } from './first-signal';
import { openHealthPort } from './health/health-port';
import { ProcessHealth } from './health/process-health';
import { Inventory } from './inventory';
import type { LogDestination } from './log-destination';
import { logControlOf } from './log-control';
import { observeExports } from './metrics/observe-exports';
import { openMetrics } from './metrics/process-metrics';
import { openProcessTracing } from './tracing/process-tracing';
import { type ModelLine, renderModelTable } from './model-table';
import { project } from './project';
import { type Standalone, startStandalone } from './standalone';
import { judgeTritonFlags } from './triton-flags';

/** What `serve` needs of the process around it. */
export interface ServeShell extends SignalShell {
  readonly logDestination: LogDestination;
}

const demoModels = path.join(project.root, 'models');

export const noModels = 'There are no models here; a repository holds them as MODEL/1/model.onnx.';

/** Runs the server until a signal ends it; resolves with the exit code. */
export async function serve(given: ServeConfig, shell: ServeShell): Promise<number> {
  const config = withDefaultRepository(given);
  const logControl = logControlOf(config);
  const logger = createLogger(logControl, shell.logDestination);
  const { refusals, warnings } = judgeTritonFlags(config);
  if (refusals.length > 0) throw new ShoalError('INVALID_ARGUMENT', refusals.join('; '));
  checkAccess(config);
  for (const warning of warnings) logger.warn(warning);
  const repositories = [...config.modelRepository, ...config.modelStore];
  repositories.forEach(checkFolder);
  const grpcTls = await openGrpcTls(config, shell.clock, logger);
  shell.print(`Shoal ${project.version}: loading models from ${repositories.join(', ')}`);
  const signal = firstSignal(shell);
  const health = new ProcessHealth();
  const healthPort = await openHealthPort(config.healthAddress, health, shell);
  const id = `${hostname()}-${process.pid}`;
  const metrics = await openMetrics(config, { service: 'shoal', id, runsModels: true, logger, shell });
  const tracing = openProcessTracing(config, id, shell.clock, logger);
  observeExports(metrics, tracing);
  const server = await start({ config, logger, logControl, grpcTls, metrics: metrics.registry, tracing });
  health.follow(server.readiness);
  const inventory = new Inventory(server.bus, wantedModels(config), server.worker);
  const loaded = await Promise.race([server.initialLoad.then(() => 'loaded' as const), signal]);
  if (loaded === 'loaded') {
    const lines = inventory.lines();
    shell.print(lines.length > 0 ? `\n${renderModelTable(lines)}\n` : noModels);
    const failed = inventory.failed();
    if (failed > 0 && config.exitOnError) {
      shell.print(`${failed} of the models cannot be served, and --exit-on-error is set: ending`);
      await drain(server, config, logger);
      await closeTelemetry(tracing, metrics);
      await healthPort?.close();
      return 1;
    }
    if (config.allowGrpc)
      announce(server, hasDemo(repositories, lines) && !grpcTls, grpcTls ? '-cacert CA.pem' : '-plaintext', shell);
    else shell.print('Nothing listens: --allow-grpc is false.');
    shell.print('Ctrl-C ends it once the accepted requests are answered.');
  }
  const name = await signal;
  shell.print(`${name}: finishing the accepted requests (at most ${config.exitTimeoutSecs} s; again ends at once)`);
  health.end();
  await drain(server, config, logger);
  await closeTelemetry(tracing, metrics);
  await healthPort?.close();
  shell.print('Everything has ended. Bye.');
  return 0;
}

/** A port that is taken is the commonest trouble at start, so it comes with the way out. */
async function start(deps: Parameters<typeof startStandalone>[0]): Promise<Standalone> {
  try {
    return await startStandalone(deps);
  } catch (thrown) {
    if (!(thrown instanceof ShoalError) || thrown.code !== 'UNAVAILABLE') throw thrown;
    const wayOut = thrown.message.endsWith('in use')
      ? '--grpc-port=0 takes any free port'
      : '--grpc-address must name an address of this machine';
    throw new ShoalError('UNAVAILABLE', `${thrown.message} (${wayOut})`, { cause: thrown });
  }
}

/** Whether the example client will find the model that it calls. */
function hasDemo(repositories: readonly string[], lines: readonly ModelLine[]): boolean {
  return repositories.includes(demoModels) && lines.some((line) => line.model === 'simple' && line.status === 'READY');
}

/** Models that the command line names one by one. */
export function wantedModels({
  modelControlMode,
  loadModel,
}: Pick<ServeConfig, 'modelControlMode' | 'loadModel'>): readonly string[] {
  return modelControlMode === 'explicit' ? loadModel.filter((name) => name !== '*') : [];
}

function announce(server: Standalone, demo: boolean, how: string, shell: ServeShell): void {
  const host = server.address.includes(':') ? `[${server.address}]` : server.address;
  const address = `${host}:${server.port}`;
  shell.print(`Started GRPCInferenceService at ${address}`);
  if (demo) {
    const example = path.relative(process.cwd(), path.join(project.root, 'examples', 'infer.mjs'));
    shell.print(`Try it from another terminal: node ${example} ${address}`);
  } else shell.print(`Look around: grpcurl ${how} ${address} inference.GRPCInferenceService/RepositoryIndex`);
}

async function drain(server: Standalone, config: ServeConfig, logger: Logger): Promise<void> {
  try {
    await server.drain(config.exitTimeoutSecs * 1000);
  } catch (thrown) {
    logger.error('the shut-down did not complete', { error: String(thrown) });
    throw thrown;
  }
}

/** Without a repository the demo models are served, so that the first try needs no argument. */
function withDefaultRepository(config: ServeConfig): ServeConfig {
  if (config.modelRepository.length + config.modelStore.length > 0) return config;
  return { ...config, modelRepository: [demoModels] };
}

/** The services keep host paths out of their errors; whoever typed one wants to see it. */
export function checkFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new ShoalError('INVALID_ARGUMENT', `--model-repository ${folder}: there is no such folder`);
}
