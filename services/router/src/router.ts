import { type Bus, Instances, batchingPrefix } from '@shoal/bus';
import { type Clock, Lifecycle, type Random, ShoalError } from '@shoal/core';
import type { LinkTransport } from '@shoal/link';
import { ModelDesires, PlacementView } from '@shoal/placement';
import {
  type ClientTlsOptions,
  type HealthSource,
  type Renewable,
  type TlsFiles,
  serverPlace,
  serverTls,
} from '@shoal/rpc';
import { type LogControl, type Logger, type MetricRegistry, type Tracing, serverCallMeters } from '@shoal/telemetry';
import { checkAccess } from './access/check-config';
import type { FileAccess } from './access/follow-auth-file';
import { openAccess } from './access/open-access';
import { Catalog } from './catalog/catalog';
import { RouterLinks } from './connections/router-links';
import { ExplainPeers } from './explain/explain-peers';
import type { RouterConfig } from './flags';
import { Inference } from './infer/inference';
import { InferStreams } from './infer/infer-streams';
import { defaultInflightBytes } from './memory-limit';
import { RouterMetrics } from './metrics/router-metrics';
import { observeTraffic } from './metrics/observe-traffic';
import { Readiness } from './readiness';
import { Admission } from './requests/admission';
import { buildServer } from './server';
import { SharedSettings } from './settings/shared-settings';
import { TraceSettings } from './settings/trace-settings';
import { Regions } from './shared-memory/regions';
import { RequestTraces } from './tracing/request-traces';
import { PeerCounters } from './traffic/peer-counters';
import { ShadowBounds } from './traffic/shadow-bounds';
import { TrafficTable } from './traffic/traffic-table';

/** What a router is made of. */
export interface RouterDeps {
  /** Unique in the cluster. */
  readonly id: string;
  readonly bus: Bus;
  readonly transport: LinkTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly logControl: LogControl;
  readonly config: RouterConfig;
  /** Undefined: nothing is recorded. */
  readonly tracing?: Tracing | undefined;
  /** What it encrypts with (`openGrpcTls`); closed with the router. Without it calls are not encrypted. */
  readonly tls?: TlsFiles | undefined;
  /** What calls to other members of the cluster are encrypted with; without it they are not. */
  readonly linkTls?: Renewable<ClientTlsOptions> | undefined;
  /**
   * Where members reach its public API: `unix:PATH` is listened at as well, without TLS; HOST stands for its own host and port.
   * Undefined: nowhere.
   */
  readonly memberDoor?: string | undefined;
  /** Where its metrics are kept; absent: nothing is measured. */
  readonly metrics?: MetricRegistry | undefined;
  /** Says that it is not ready before this is settled, though it answers: the loading of the first models. */
  readonly readyAfter?: Promise<unknown>;
  /** Models are served by others, who come and go, and this is one of several doors to them: see `Readiness`. */
  readonly inCluster?: boolean;
}

/** A running router. */
export interface RouterService {
  /** Where it listens: the host; '' when it does not. */
  readonly address: string;
  readonly port: number;
  /** Whether it should be sent requests: what its health service says. */
  readonly readiness: HealthSource;
  /**
   * Says that it is not ready, tells its clients to go elsewhere, answers what they had sent by then (for at most `graceMs`; the rest
   * gets UNAVAILABLE), then ends its links.
   */
  drain(graceMs: number): Promise<void>;
}

/**
 * Starts the door: follows models, batching instances and runners on the bus, and serves the public API.
 * @throws ShoalError UNAVAILABLE when the address cannot be bound; INVALID_ARGUMENT as `checkAccess`, and for
 * trace settings that cannot be.
 */
export async function startRouter(deps: RouterDeps): Promise<RouterService> {
  const { bus, clock, logger, logControl, config } = deps;
  const traceSettings = new TraceSettings(deps.tracing);
  const guard = checkedAccess(deps);
  const lifecycle = new Lifecycle();
  const catalog = new Catalog(bus, clock);
  const metrics = deps.metrics && new RouterMetrics(deps.metrics, catalog, clock);
  const links = new RouterLinks(deps, metrics);
  const batching = new Instances(bus, batchingPrefix);
  const readiness = new Readiness({
    lifecycle,
    catalog,
    links,
    strict: config.strictReadiness,
    after: deps.readyAfter,
    inCluster: deps.inCluster ?? false,
  });
  const regions = config.allowClientShm ? new Regions() : undefined;
  const admission = new Admission(
    { requests: config.maxInflightRequests, bytes: config.maxInflightBytes || defaultInflightBytes() },
    metrics && ((reason, model) => metrics.shed(reason, model)),
  );
  metrics?.followAdmission(admission);
  const traffic = new TrafficTable(bus.state, catalog, deps.random);
  const endTraffic = deps.metrics && observeTraffic(deps.metrics, traffic);
  const peers = new PeerCounters(bus, deps.id, traffic);
  const shadowBounds = new ShadowBounds({ requests: config.maxShadowRequests, bytes: config.maxShadowBytes });
  const traces = deps.tracing && new RequestTraces(deps.tracing, clock);
  const inference = new Inference({
    catalog,
    table: links.table,
    admission,
    lifecycle,
    clock,
    logger,
    regions,
    traffic,
    shadowBounds,
    logControl,
    traces,
    metrics,
  });
  const streams = new InferStreams(
    inference,
    { requests: config.maxStreamRequests, bytes: config.maxStreamBytes },
    clock,
  );
  // Who asks need not wait for a worker that may come back: its workers do that.
  const placement = new PlacementView(bus, clock, 0);
  const desires = new ModelDesires({ id: deps.id, bus, view: placement, clock, random: deps.random });
  const explainers = new ExplainPeers(bus, clock, deps.linkTls);
  const sharedSettings = new SharedSettings(bus.state, traceSettings, logControl, logger);
  const server = buildServer({
    explainers,
    access: guard?.access,
    batching,
    catalog,
    clock,
    config,
    desires,
    inference,
    logControl,
    logger,
    meterOf: deps.metrics && serverCallMeters(deps.metrics),
    placement,
    readiness,
    regions,
    streams,
    tracing: deps.tracing,
    traceSettings,
    sharedSettings,
    traffic: { store: bus.state, catalog, table: traffic, peers, clock },
  });

  async function close(): Promise<void> {
    deps.tls?.close();
    guard?.close();
    metrics?.close();
    endTraffic?.();
    links.table.close(new ShoalError('UNAVAILABLE', 'the server is shutting down'));
    await links.close();
    sharedSettings.close();
    explainers.close();
    desires.close();
    placement.close();
    batching.close();
    peers.close();
    traffic.close();
    catalog.close();
    regions?.unregister('');
    lifecycle.advance('STOPPED');
  }

  lifecycle.advance('READY');
  let port = 0;
  if (server) {
    try {
      port = await server.listen(
        listenAddress(config),
        deps.tls && serverTls(deps.tls, { clientCa: config.grpcUseSslMutual }),
      );
      if (traces) traces.place = serverPlace(listenAddress(config), port);
      const { memberDoor } = deps;
      if (memberDoor?.startsWith('unix:')) {
        await server.listen(memberDoor);
        peers.listens(memberDoor, false);
      } else if (memberDoor !== undefined) peers.listens(`${memberDoor}:${port}`, deps.tls !== undefined);
    } catch (thrown) {
      await close();
      throw thrown;
    }
  }

  async function drain(graceMs: number): Promise<void> {
    lifecycle.advance('DRAINING');
    streams.drain();
    await server?.drain(graceMs);
    streams.close();
    await close();
  }
  let drained: Promise<void> | undefined;
  return {
    address: server ? config.grpcAddress : '',
    port,
    readiness,
    drain: (graceMs) => (drained ??= drain(graceMs)),
  };
}

/** @throws ShoalError as `checkAccess`; then nothing of the router's is left open. */
function checkedAccess(deps: RouterDeps): FileAccess | undefined {
  try {
    checkAccess(deps.config);
    return openAccess({ ...deps, encrypted: deps.tls !== undefined });
  } catch (thrown) {
    deps.tls?.close();
    throw thrown;
  }
}

/** An IPv6 address needs brackets before its port. */
function listenAddress({ grpcAddress, grpcPort }: RouterConfig): string {
  const host = grpcAddress.includes(':') && !grpcAddress.startsWith('[') ? `[${grpcAddress}]` : grpcAddress;
  return `${host}:${grpcPort}`;
}
