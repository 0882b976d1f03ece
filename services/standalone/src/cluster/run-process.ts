import { hostname } from 'node:os';
import { type Bus, createNatsBus } from '@shoal/bus';
import { type Random, ShoalError, systemRandom } from '@shoal/core';
import { createLogger } from '@shoal/telemetry';
import { firstSignal } from '../first-signal';
import { logControlOf } from '../log-control';
import { project } from '../project';
import type { ServeShell } from '../serve';
import type { ClusterConfig } from './flags';
import type { ClusterProcess, ProcessParts } from './processes';

/** Runs one service of a cluster until a signal ends it; resolves with the exit code. */
export async function runProcess<Config extends ClusterConfig>(
  service: string,
  config: Config,
  start: (parts: ProcessParts<Config>) => Promise<ClusterProcess>,
  shell: ServeShell,
): Promise<number> {
  const url = natsUrl(service, config);
  const random = systemRandom;
  const id = config.id === '' ? newId(random) : checkedId(config.id);
  const logControl = logControlOf(config);
  const logger = createLogger(logControl, shell.logDestination).child({ service, id });
  const { clock } = shell;
  shell.print(`Shoal ${project.version}: ${service} ${id}, joining the cluster at ${withoutSecrets(url)}`);
  const signal = firstSignal(shell);
  const joining = createNatsBus({ url, clock, random, logger, name: id });
  const bus = await Promise.race([joining, signal.then(() => undefined)]);
  if (bus === undefined) return 0;
  const started = await startOn(bus, () =>
    start({ id, config, bus, clock, random, logger, logControl, print: (line) => shell.print(line) }),
  );
  shell.print('Ctrl-C ends it once what it has accepted is finished.');
  const ended = await Promise.race([signal, ...(started.failed ? [started.failed] : [])]);
  if (typeof ended === 'string') {
    shell.print(`${ended}: finishing what was accepted (at most ${config.exitTimeoutSecs} s; again ends at once)`);
  }
  await started.drain(config.exitTimeoutSecs * 1000);
  await bus.close();
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
