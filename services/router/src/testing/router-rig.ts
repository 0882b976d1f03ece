import { type Bus, type VersionAnnouncement, createLocalBus, modelsPrefix, versionsPrefix } from '@shoal/bus';
import { type Clock, seededRandom, systemClock } from '@shoal/core';
import { type LinkTransport, createTransport } from '@shoal/link';
import type { ModelConfig } from '@shoal/protocol';
import { type LogControl, type Logger, type Tracing, silentLogger } from '@shoal/telemetry';
import { type RouterConfig, routerFlags } from '../flags';
import { type RouterService, startRouter } from '../router';
import { goldenModels } from './model-configs';
import { ScriptedBatching } from './scripted-batching';
import { ScriptedRunner } from './scripted-runner';
import { StockClient } from './stock-client';

/** A router on a real port with a real bus and real links, scripted batching and runner, and a stock client. */
export interface RouterRig {
  readonly bus: Bus;
  readonly transport: LinkTransport;
  readonly batching: ScriptedBatching;
  readonly runner: ScriptedRunner;
  readonly router: RouterService;
  readonly client: StockClient;
  readonly logControl: LogControl;
  /** Announces a version. */
  announce(config: ModelConfig, version: number, change?: Partial<VersionAnnouncement>): void;
  /** Ends everything; resolves when nothing is left running. */
  close(): Promise<void>;
}

/** The defaults of all flags, on any free port. */
export function testConfig(changes: Partial<RouterConfig> = {}): RouterConfig {
  const defaults = Object.entries(routerFlags).map(([key, flag]) => [key, flag.default]);
  return { ...(Object.fromEntries(defaults) as unknown as RouterConfig), grpcPort: 0, ...changes };
}

/** Starts a rig that serves the models of the golden answers. */
export async function startRig(
  options: {
    readonly config?: Partial<RouterConfig>;
    readonly clock?: Clock;
    readonly readyAfter?: Promise<void>;
    readonly inCluster?: boolean;
    readonly logger?: Logger;
    readonly tracing?: Tracing;
  } = {},
): Promise<RouterRig> {
  const bus = createLocalBus();
  const transport = createTransport({ clock: systemClock });
  const batching = new ScriptedBatching(bus, 'batching-1');
  const runner = new ScriptedRunner(bus, 'runner-1');
  const logControl: LogControl = { info: true, warn: true, error: true, verboseLevel: 0 };
  const announce: RouterRig['announce'] = (config, version, change = {}) => {
    const key = { model: config.name, version, generation: 'g1' };
    bus.announce(`${modelsPrefix}${config.name}`, { model: config.name, reason: '' });
    bus.announce(`${versionsPrefix}${config.name}/${version}`, {
      ...key,
      state: 'READY',
      reason: '',
      config,
      ...change,
    } satisfies VersionAnnouncement);
  };
  for (const { config, versions } of goldenModels) for (const version of versions) announce(config, version);
  await batching.start(transport);
  await runner.start(transport, { model: 'simple', version: 1, generation: 'g1' });
  const router = await startRouter({
    id: 'router-1',
    bus,
    transport,
    clock: options.clock ?? systemClock,
    random: seededRandom(1),
    logger: options.logger ?? silentLogger,
    logControl,
    config: testConfig(options.config),
    inCluster: options.inCluster ?? false,
    tracing: options.tracing,
    ...(options.readyAfter && { readyAfter: options.readyAfter }),
  });
  const client = new StockClient(router.port);
  return {
    bus,
    transport,
    batching,
    runner,
    router,
    client,
    logControl,
    announce,
    async close() {
      client.close();
      await router.drain(2_000);
      await runner.kill();
      await batching.kill();
      await bus.close();
    },
  };
}
