import { accessSync, constants } from 'node:fs';
import { hostname } from 'node:os';
import { type Bus, type NatsBusOptions, createNatsBus } from '@shoal/bus';
import { type Clock, type Random, ShoalError, systemRandom } from '@shoal/core';
import { type Logger, createLogger } from '@shoal/telemetry';
import { followLogSettings } from '@shoal/router';
import { closeTelemetry } from '../close-telemetry';
import { firstSignal } from '../first-signal';
import { openHealthPort } from '../health/health-port';
import { ProcessHealth } from '../health/process-health';
import { observeBus } from '../metrics/observe-bus';
import { observeExports } from '../metrics/observe-exports';
import { openMetrics } from '../metrics/process-metrics';
import { openProcessTracing } from '../tracing/process-tracing';
import { logControlOf } from '../log-control';
import { project } from '../project';
import type { ServeShell } from '../serve';
import type { TlsFiles } from '@shoal/rpc';
import type { ClusterConfig } from './flags';
import type { ClusterProcess, ProcessParts } from './processes';
import { openLinkTls, openNatsTls } from './tls';

/** Runs one service of a cluster until a signal ends it; resolves with the exit code. */
export async function runProcess<Config extends ClusterConfig>(
  service: string,
  config: Config,
  start: (parts: ProcessParts<Config>) => Promise<ClusterProcess>,
  shell: ServeShell,
  openGrpcTls?: (config: Config, clock: Clock, logger: Logger) => Promise<TlsFiles | undefined>,
): Promise<number> {
  const url = natsUrl(service, config);
  const random = systemRandom;
  const id = config.id === '' ? newId(random) : checkedId(config.id);
  const logControl = logControlOf(config);
  const logger = createLogger(logControl, shell.logDestination).child({ service, id });
  const { clock } = shell;
  const linkTls = await openLinkTls(config, clock, logger);
  const grpcTls = await openGrpcTls?.(config, clock, logger);
  const natsTls = await openNatsTls(config, clock, logger);
  const natsOptions = natsOptionsOf(config);
  shell.print(`Shoal ${project.version}: ${service} ${id}, joining the cluster at ${withoutSecrets(url)}`);
  const signal = firstSignal(shell);
  const health = new ProcessHealth();
  const healthPort = await openHealthPort(config.healthAddress, health, shell);
  const metrics = await openMetrics(config, {
    service: `shoal-${service}`,
    id,
    runsModels: service === 'model-worker',
    logger,
    shell,
  });
  const tracing = openProcessTracing(config, id, clock, logger);
  observeExports(metrics, tracing);
  const joining = createNatsBus({
    url,
    clock,
    random,
    logger,
    name: id,
    ...natsOptions,
    tracing: tracing && { tracer: tracing.tracer(service), propagator: tracing.propagator },
  });
  const bus = await Promise.race([joining, signal.then(() => undefined)]);
  if (bus === undefined) {
    await closeTelemetry(tracing, metrics, 0);
    await healthPort?.close();
    return 0;
  }
  if (metrics.registry) observeBus(metrics.registry, bus);
  const endLogSettings = followLogSettings(bus.state, logControl);
  const started = await startOn(bus, () =>
    start({
      id,
      config,
      bus,
      clock,
      random,
      logger,
      logControl,
      linkTls,
      grpcTls,
      metrics: metrics.registry,
      tracing,
      print: (line) => shell.print(line),
    }),
  );
  if (started.readiness) health.follow(started.readiness);
  else void Promise.all([bus.joined, started.able]).then(() => health.ready());
  shell.print('Ctrl-C ends it once what it has accepted is finished.');
  const ended = await Promise.race([signal, ...(started.failed ? [started.failed] : [])]);
  if (typeof ended === 'string') {
    shell.print(`${ended}: finishing what was accepted (at most ${config.exitTimeoutSecs} s; again ends at once)`);
  }
  health.end();
  await started.drain(config.exitTimeoutSecs * 1000);
  endLogSettings();
  await bus.close();
  linkTls?.files.close();
  natsTls?.close();
  await closeTelemetry(tracing, metrics);
  await healthPort?.close();
  shell.print('Everything has ended. Bye.');
  return typeof ended === 'string' ? 0 : ended;
}

async function startOn(bus: Bus, start: () => Promise<ClusterProcess>): Promise<ClusterProcess> {
  try {
    return await start();
  } catch (thrown) {
    await bus.close();
    throw thrown;
  }
}

/** @throws ShoalError INVALID_ARGUMENT when there is none. */
function natsUrl(service: string, { nats }: ClusterConfig): string {
  const urls = nats.flatMap((list) => list.split(',')).map((one) => one.trim());
  const given = urls.filter((one) => one !== '');
  if (given.length > 0) return given.join(',');
  throw new ShoalError(
    'INVALID_ARGUMENT',
    `shoal ${service} runs one service of a cluster and finds the others through NATS: --nats=nats://HOST:4222 says ` +
      'where; `shoal serve` runs all of them on this machine and needs none',
  );
}

/** @throws ShoalError INVALID_ARGUMENT for credentials that cannot be read, or a number of copies that NATS does not know. */
function natsOptionsOf(config: ClusterConfig): Pick<NatsBusOptions, 'tls' | 'credsFile' | 'replicas'> {
  const { natsCa, natsCert, natsKey, natsCreds, natsReplicas } = config;
  if (natsReplicas % 2 === 0) {
    throw new ShoalError('INVALID_ARGUMENT', `--nats-replicas=${natsReplicas}: expected 1, 3 or 5`);
  }
  if (natsCreds !== '') checkReadable('nats-creds', natsCreds);
  const tls = {
    ...(natsCa !== '' && { caFile: natsCa }),
    ...(natsCert !== '' && { certFile: natsCert, keyFile: natsKey }),
  };
  return {
    replicas: natsReplicas,
    ...(Object.keys(tls).length > 0 && { tls }),
    ...(natsCreds !== '' && { credsFile: natsCreds }),
  };
}

function checkReadable(flag: string, path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    throw new ShoalError('INVALID_ARGUMENT', `--${flag}=${path}: there is no such file, or it may not be read`, {
      cause,
    });
  }
}

/** Names and passwords in a URL are for nobody's eyes. */
function withoutSecrets(url: string): string {
  return url.replace(/(:\/\/|^|,)[^,]*@/g, '$1');
}

/** HOST-PID-RANDOM: a process that starts again on the same host is another one. */
function newId(random: Random): string {
  const chance = Math.floor(random.next() * 36 ** 4);
  const host = hostname().replace(/[^a-zA-Z0-9-]/g, '-');
  return `${host.slice(0, 40)}-${process.pid}-${chance.toString(36).padStart(4, '0')}`;
}

/** @throws ShoalError INVALID_ARGUMENT for what cannot be part of a name on the bus. */
function checkedId(id: string): string {
  if (/^[a-zA-Z0-9_-]{1,64}$/.test(id)) return id;
  throw new ShoalError('INVALID_ARGUMENT', `--id=${id}: expected up to 64 letters, digits, - and _`);
}
