import { constants, setPriority } from 'node:os';
import { startBatching } from '@shoal/batching';
import type { Bus } from '@shoal/bus';
import type { Clock, Random } from '@shoal/core';
import { startExplainability } from '@shoal/explainability';
import { createTransport } from '@shoal/link';
import { startModelWorker } from '@shoal/model-worker';
import { startRouter } from '@shoal/router';
import { type HealthSource, type TlsFiles, clientTls, serverTls } from '@shoal/rpc';
import type { LogControl, Logger, MetricRegistry, Tracing } from '@shoal/telemetry';
import { Inventory } from '../inventory';
import { renderModelTable } from '../model-table';
import { checkFolder, noModels, wantedModels } from '../serve';
import type { BatchingProcessConfig, ExplainProcessConfig, RouterProcessConfig, WorkerProcessConfig } from './flags';
import { checkLinkHost, hostOf, isEverywhere } from './link-address';
import { autoHost, ownHost } from './own-address';
import { type LinkSecurity, hasLinkTls, openRouterTls, transportTls } from './tls';

/** What one service of a cluster is started with. */
export interface ProcessParts<Config> {
  /** Unique in the cluster. */
  readonly id: string;
  readonly config: Config;
  /** Joins the processes. */
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly logControl: LogControl;
  /** What links over TCP are secured with. */
  readonly linkTls: LinkSecurity | undefined;
  /** What the public port is encrypted with. */
  readonly grpcTls: TlsFiles | undefined;
  /** Where metrics are kept; undefined: nothing is measured. */
  readonly metrics: MetricRegistry | undefined;
  /** Where spans go; undefined: nowhere. */
  readonly tracing: Tracing | undefined;
  /** For people. */
  readonly print: (line: string) => void;
}

/** One service that runs alone. */
export interface ClusterProcess {
  /** Settled once it can do its work; absent: it can at once. */
  readonly able?: Promise<void>;
  /** Whether it should be sent requests, where that changes. */
  readonly readiness?: HealthSource;
  /** Settled with an exit code when it cannot or need not go on by itself. */
  readonly failed?: Promise<number>;
  drain(graceMs: number): Promise<void>;
}

/**
 * The configuration with the host of its links, where that is to be this machine's own. Refuses, before anything is started, what
 * cannot be. @throws ShoalError INVALID_ARGUMENT
 */
export function checkedLinks<Config extends BatchingProcessConfig | ExplainProcessConfig>(config: Config): Config {
  const named = hostOf('link-address', config.linkAddress);
  const host = ownHost('link-address', named);
  checkLinkHost('link-address', host, config.allowOpenLinks || hasLinkTls(config));
  return { ...config, linkAddress: host + config.linkAddress.slice(named.length) };
}

/** The same for a model-worker. @throws ShoalError INVALID_ARGUMENT */
export function checkedWorker(config: WorkerProcessConfig): WorkerProcessConfig {
  const runnerHost = ownHost('runner-host', config.runnerHost);
  checkLinkHost('runner-host', runnerHost, config.allowOpenLinks || hasLinkTls(config));
  [...config.modelRepository, ...config.modelStore].forEach(checkFolder);
  return { ...config, runnerHost };
}

/** The door alone. @throws ShoalError UNAVAILABLE when its port cannot be bound. */
export async function startRouterProcess(parts: ProcessParts<RouterProcessConfig>): Promise<ClusterProcess> {
  const { config, clock, print } = parts;
  const { sharedMemoryBytes } = config;
  const transport = createTransport({ clock, sharedMemoryBytes, ...transportTls(parts.linkTls) });
  // Who has not heard of the traffic rules would give all requests to the latest version.
  const readyAfter = parts.bus.joined;
  const router = await startRouter({
    ...parts,
    transport,
    inCluster: true,
    tls: parts.grpcTls,
    linkTls: linkClientTls(parts.linkTls),
    memberDoor: announcedHost(config.grpcAddress),
    readyAfter,
  });
  if (config.allowGrpc) {
    const host = router.address.includes(':') ? `[${router.address}]` : router.address;
    print(`Started GRPCInferenceService at ${host}:${router.port}`);
  } else print('Nothing listens: --allow-grpc is false.');
  return router;
}

/** The brain alone. @throws ShoalError UNAVAILABLE when its address cannot be bound. */
export async function startBatchingProcess(parts: ProcessParts<BatchingProcessConfig>): Promise<ClusterProcess> {
  const transport = createTransport({ clock: parts.clock, ...transportTls(parts.linkTls) });
  const batching = await startBatching({ ...parts, transport, address: parts.config.linkAddress });
  parts.print(`Takes routers' links at ${batching.address}`);
  return batching;
}

/** Explanations alone. @throws ShoalError UNAVAILABLE when its address cannot be bound; INVALID_ARGUMENT for files that cannot be used. */
export async function startExplainProcess(parts: ProcessParts<ExplainProcessConfig>): Promise<ClusterProcess> {
  const { config, clock, logger, linkTls } = parts;
  giveWay();
  const files = await openRouterTls(config, clock, logger);
  const name = config.routerName === '' ? undefined : config.routerName;
  const explainability = await startExplainability({
    ...parts,
    address: config.linkAddress,
    tls: linkTls && serverTls(linkTls.files, { clientCa: true, clientName: linkTls.name }),
    routers: {
      targets: config.routerUrl,
      encrypted: config.routerTls,
      tls: files ? clientTls(files, name) : { ...(name !== undefined && { serverName: name }) },
    },
  });
  parts.print(`Takes routers' calls at ${explainability.address}`);
  return {
    async drain(graceMs) {
      await explainability.drain(graceMs);
      files?.close();
    },
  };
}

/** Who explains computes much, and waits gladly: others on the machine get the processors first. */
function giveWay(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Where that is not allowed it is no reason not to serve.
  }
}

function linkClientTls(linkTls: LinkSecurity | undefined) {
  return linkTls && clientTls(linkTls.files, linkTls.name);
}

/** At which other members reach the public port; undefined: there is no address that they could. */
function announcedHost(grpcAddress: string): string | undefined {
  const bare = grpcAddress.replace(/^\[(.*)\]$/, '$1');
  try {
    const host = isEverywhere(bare) ? ownHost('grpc-address', autoHost) : bare;
    return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  } catch {
    return undefined;
  }
}

/** The hands alone. @throws ShoalError INVALID_ARGUMENT when a repository cannot be read. */
export async function startWorkerProcess(parts: ProcessParts<WorkerProcessConfig>): Promise<ClusterProcess> {
  const { config, bus, id, print } = parts;
  const inventory = new Inventory(bus, wantedModels(config), id);
  const worker = await startModelWorker({
    ...parts,
    shared: true,
    // Its links are TCP, which shares none.
    sharedMemoryBytes: 0,
  });
  let failed!: (code: number) => void;
  const failure = new Promise<number>((resolve) => (failed = resolve));
  let ending = false;
  async function tellWhenLoaded(): Promise<void> {
    await worker.initialLoad;
    if (ending) return;
    const lines = inventory.lines();
    print(lines.length > 0 ? `\n${renderModelTable(lines)}\n` : noModels);
    print(`Runners take links at ${config.runnerHost}, each at a port of its own`);
    const broken = inventory.failed();
    if (broken === 0 || !config.exitOnError) return;
    print(`${broken} of the models cannot be served, and --exit-on-error is set: ending`);
    failed(1);
  }
  void tellWhenLoaded();
  return {
    able: worker.initialLoad,
    failed: failure,
    drain(graceMs) {
      ending = true;
      worker.abandonLoads();
      return worker.drain(graceMs);
    },
  };
}
