import { statSync } from 'node:fs';
import path from 'node:path';
import { type ModelAnnouncement, type VersionAnnouncement, modelsPrefix, versionsPrefix } from '@shoal/bus';
import { ShoalError } from '@shoal/core';
import { type LogControl, type Logger, createLogger } from '@shoal/telemetry';
import type { ServeConfig } from './flags';
import { modelLines, renderModelTable } from './model-table';
import { project } from './project';
import { type Standalone, startStandalone } from './standalone';

/** What `serve` needs of the process around it. */
export interface ServeShell {
  /** For people: start-up and shut-down lines. */
  print(line: string): void;
  /** Calls back on each SIGTERM or SIGINT with its name. */
  onSignal(received: (signal: string) => void): void;
}

/** Runs the server until a signal ends it; resolves with the exit code. */
export async function serve(given: ServeConfig, shell: ServeShell): Promise<number> {
  const config = withDefaultRepository(given);
  const logControl: LogControl = {
    info: config.logInfo,
    warn: config.logWarning,
    error: config.logError,
    verboseLevel: config.logVerbose,
  };
  const logger = createLogger(logControl);
  const repositories = [...config.modelRepository, ...config.modelStore];
  repositories.forEach(checkFolder);
  shell.print(`Shoal ${project.version}: loading models from ${repositories.join(', ')}`);
  const server = await startStandalone({ config, logger, logControl });
  const signal = firstSignal(shell);
  const inventory = new Inventory(server);
  const loaded = await Promise.race([server.initialLoad.then(() => 'loaded' as const), signal]);
  if (loaded === 'loaded') {
    shell.print(`\n${renderModelTable(inventory.lines())}\n`);
    const failed = inventory.failed();
    if (failed > 0 && config.exitOnError) {
      shell.print(`${failed} of the models cannot be served, and --exit-on-error is set: ending`);
      await server.drain(config.exitTimeoutSecs * 1000);
      return 1;
    }
    if (config.allowGrpc) shell.print(`Started GRPCInferenceService at ${server.address}:${server.port}`);
    shell.print('Ctrl-C ends it once the accepted requests are answered.');
  }
  const name = await signal;
  shell.print(`${name}: finishing the accepted requests (at most ${config.exitTimeoutSecs} s; again ends at once)`);
  await drain(server, config, logger);
  shell.print('All requests are answered. Bye.');
  return 0;
}

async function drain(server: Standalone, config: ServeConfig, logger: Logger): Promise<void> {
  try {
    await server.drain(config.exitTimeoutSecs * 1000);
  } catch (thrown) {
    logger.error('the shut-down did not complete', { error: String(thrown) });
    throw thrown;
  }
}

/** Resolves at the first signal; the second one does not wait for anybody. */
function firstSignal(shell: ServeShell): Promise<string> {
  return new Promise((resolve) => {
    let count = 0;
    shell.onSignal((signal) => {
      count += 1;
      if (count === 1) resolve(signal);
      else {
        shell.print(`${signal} again: ending at once`);
        process.exit(1);
      }
    });
  });
}

/** Without a repository the demo models are served, so that the first try needs no argument. */
function withDefaultRepository(config: ServeConfig): ServeConfig {
  if (config.modelRepository.length + config.modelStore.length > 0) return config;
  return { ...config, modelRepository: [path.join(project.root, 'models')] };
}

/** The services keep host paths out of their errors; whoever typed one wants to see it. */
function checkFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new ShoalError('INVALID_ARGUMENT', `--model-repository ${folder}: there is no such folder`);
}

/** Follows what is announced of models. */
class Inventory {
  readonly #models = new Map<string, ModelAnnouncement>();
  readonly #versions = new Map<string, VersionAnnouncement>();

  constructor({ bus }: Standalone) {
    bus.watch<ModelAnnouncement>(modelsPrefix, (key, value) => put(this.#models, key, value));
    bus.watch<VersionAnnouncement>(versionsPrefix, (key, value) => put(this.#versions, key, value));
  }

  lines() {
    return modelLines([...this.#models.values()], [...this.#versions.values()]);
  }

  /** How many models or versions could not be loaded. */
  failed(): number {
    const broken = [...this.#models.values()].filter(({ reason }) => reason !== '');
    return broken.length + [...this.#versions.values()].filter(({ state }) => state === 'UNAVAILABLE').length;
  }
}

function put<V>(map: Map<string, V>, key: string, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
