import { type Bus, type ExplainabilityAnnouncement, explainabilityPrefix } from '@shoal/bus';
import type { Clock, Random } from '@shoal/core';
import { type Renewable, type TlsOptions, callersSpans, createServer, loadService, tracedServer } from '@shoal/rpc';
import type { Logger, MetricRegistry, Tracing } from '@shoal/telemetry';
import { BackgroundStore } from './backgrounds/background-store';
import { Explainer } from './explainer';
import type { ExplainConfig } from './flags';
import { explainHandlers } from './handlers';
import { ExplainMetrics } from './metrics/explain-metrics';
import { ModelFiles } from './models/model-files';
import { type RouterOptions, followRouters } from './models/routers';
import { Twins } from './models/twins';
import { Versions } from './models/versions';

/** What an explainability instance is made of. */
export interface ExplainabilityDeps {
  /** Unique in the cluster. */
  readonly id: string;
  /** Where routers reach it: HOST:PORT or unix:PATH. */
  readonly address: string;
  /** Of that address; absent: plain. */
  readonly tls?: Renewable<TlsOptions> | undefined;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Where its metrics are kept; absent: nothing is measured. */
  readonly metrics?: MetricRegistry | undefined;
  readonly config: ExplainConfig;
  /** Undefined: nothing is recorded. */
  readonly tracing?: Tracing | undefined;
  /** Whom it asks for predictions. */
  readonly routers: RouterOptions;
}

/** A running instance. */
export interface ExplainabilityService {
  /** Where routers reach it; a port 0 has become the one that was bound. */
  readonly address: string;
  /** Takes no more calls, finishes what it has within `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

const service = 'shoal.explain.v1.Explainability';
/** Of its definition, below `proto/`. */
const protoFile = 'shoal/explain/v1/explain.proto';

/**
 * Starts an instance: it follows routers and model versions on the bus, serves routers at its address, and announces itself once it
 * can be reached.
 * @throws ShoalError UNAVAILABLE when the address cannot be bound; INVALID_ARGUMENT for a folder of backgrounds that cannot be used
 */
export async function startExplainability(deps: ExplainabilityDeps): Promise<ExplainabilityService> {
  const { bus, clock, random, config, logger, id, tracing } = deps;
  const backgrounds = new BackgroundStore(bus, config.explainBackgrounds, {
    rows: maxStoredRows,
    bytes: config.explainOutstandingBytes,
  });
  const versions = new Versions(bus);
  const routers = followRouters(bus, deps.routers);
  const files = new ModelFiles(bus);
  const twins = new Twins({ id, bus, clock, random, logger, files, versions });
  const metrics = deps.metrics && new ExplainMetrics(deps.metrics);
  const explainer = new Explainer({
    clock,
    metrics,
    config,
    routers,
    versions,
    backgrounds,
    files,
    twins,
    tracing: tracing && { tracer: tracing.tracer('explainability'), propagator: tracing.propagator },
  });
  const bare = createServer({
    clock,
    keepaliveMs,
    onError(thrown, path) {
      const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      logger.error('a call failed inside the server', { path, error });
    },
  });
  // Whether a call is recorded was decided at the router's door.
  const server = tracing ? tracedServer(bare, clock, callersSpans(tracing, 'explainability')) : bare;
  const handlers = explainHandlers({ explainer, backgrounds, clock, propagator: tracing?.propagator });
  server.addService(loadService(protoFile, service), handlers, {
    large: ['Explain', 'ExplainStream', 'ExplainBatch', 'PutBackground'],
  });
  function close(): void {
    metrics?.close();
    twins.close();
    versions.close();
    backgrounds.close();
    routers.close();
  }
  let address: string;
  try {
    address = bound(deps.address, await server.listen(deps.address, deps.tls));
  } catch (thrown) {
    close();
    throw thrown;
  }
  const announcement = `${explainabilityPrefix}${id}`;
  bus.announce<ExplainabilityAnnouncement>(announcement, { id, address });
  async function drain(graceMs: number): Promise<void> {
    bus.withdraw(announcement);
    await server.drain(graceMs);
    close();
  }
  let drained: Promise<void> | undefined;
  return { address, drain: (graceMs) => (drained ??= drain(graceMs)) };
}

const keepaliveMs = 10_000;
/** A stored background may hold more rows than one explanation uses: some are drawn. */
const maxStoredRows = 1_000_000;

function bound(address: string, port: number): string {
  return address.startsWith('unix:') ? address : address.replace(/:\d+$/, `:${port}`);
}
