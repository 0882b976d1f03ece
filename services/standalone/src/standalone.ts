import { type BatchingService, startBatching } from '@shoal/batching';
import { type Bus, createLocalBus } from '@shoal/bus';
import { type Clock, type Random, systemClock, systemRandom } from '@shoal/core';
import { type ExplainabilityService, startExplainability } from '@shoal/explainability';
import { createTransport } from '@shoal/link';
import { type ModelWorkerService, startModelWorker } from '@shoal/model-worker';
import { type RouterService, startRouter } from '@shoal/router';
import type { HealthSource, TlsFiles } from '@shoal/rpc';
import type { LogControl, Logger, MetricRegistry, Tracing } from '@shoal/telemetry';
import type { ServeConfig } from './flags';
import { observeBus } from './metrics/observe-bus';
import { PrivateSockets } from './private-sockets';

export interface StandaloneDeps {
  readonly config: ServeConfig;
  readonly logger: Logger;
  readonly logControl: LogControl;
  /** What the public port is encrypted with; closed with it. */
  readonly grpcTls?: TlsFiles | undefined;
  /** Where the metrics of all services are kept; absent: nothing is measured. */
  readonly metrics?: MetricRegistry | undefined;
  /** Where their spans go; absent: nowhere. */
  readonly tracing?: Tracing | undefined;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** All services in one process. */
export interface Standalone {
  readonly address: string;
  readonly port: number;
  /** Whether it should be sent requests. */
  readonly readiness: HealthSource;
  /** Settled when every start-up model is READY or has failed. */
  readonly initialLoad: Promise<void>;
  /** The announcements of this process, to look at. */
  readonly bus: Bus;
  /** The model-worker's id there. */
  readonly worker: string;
  /** Finishes what was accepted, within `graceMs`; resolves when nothing is left running. */
  drain(graceMs: number): Promise<void>;
}

/**
 * Composes the services on one machine: they are joined in process, and each runner is a child process.
 * @throws ShoalError UNAVAILABLE when a port cannot be bound, INVALID_ARGUMENT when a model repository cannot be read.
 */
export async function startStandalone(deps: StandaloneDeps): Promise<Standalone> {
  const { config, logger, logControl, clock = systemClock, random = systemRandom } = deps;
  const bus = createLocalBus({ clock });
  if (deps.metrics) observeBus(deps.metrics, bus);
  const transport = createTransport({ clock, sharedMemoryBytes: config.sharedMemoryBytes });
  const common = { bus, transport, clock, config, metrics: deps.metrics, tracing: deps.tracing };
  const batching = await startBatching({
    ...common,
    id: 'batching',
    address: 'inproc:batching',
    logger: logger.child({ service: 'batching' }),
  });
  const firstLoad = deferred<void>();
  let worker: ModelWorkerService | undefined;
  let router: RouterService | undefined;
  let explainability: ExplainabilityService | undefined;
  // Without the public port there is nobody to explain anything to.
  const sockets = config.explain && config.allowGrpc ? new PrivateSockets() : undefined;
  try {
    // The door is bound before the models load, so that a taken port is told at once and not after minutes.
    router = await startRouter({
      ...common,
      random,
      id: 'router',
      logger: logger.child({ service: 'router' }),
      logControl,
      readyAfter: firstLoad.promise,
      tls: deps.grpcTls,
      memberDoor: sockets?.address('door'),
    });
    worker = await startModelWorker({
      ...common,
      random,
      sharedMemoryBytes: config.sharedMemoryBytes,
      id: 'worker',
      logger: logger.child({ service: 'model-worker' }),
    });
    if (sockets) {
      explainability = await startExplainability({
        ...common,
        random,
        id: 'explainability',
        address: sockets.address('explain'),
        logger: logger.child({ service: 'explainability' }),
        routers: { targets: [], tls: undefined, encrypted: false },
      });
    }
    firstLoad.resolve(worker.initialLoad);
  } catch (thrown) {
    await stop(0, { batching, worker, router, explainability, sockets, bus });
    throw thrown;
  }
  return {
    address: router.address,
    port: router.port,
    readiness: router.readiness,
    initialLoad: worker.initialLoad,
    bus,
    worker: 'worker',
    drain: (graceMs) => stop(graceMs, { batching, worker, router, explainability, sockets, bus }),
  };
}

/** A promise to be settled from outside: Promise.withResolvers, which Node 20 lacks. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T | PromiseLike<T>) => void } {
  let resolve!: (value: T | PromiseLike<T>) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

interface Rooms {
  readonly batching: BatchingService;
  readonly worker: ModelWorkerService | undefined;
  readonly router: RouterService | undefined;
  readonly explainability: ExplainabilityService | undefined;
  readonly sockets: PrivateSockets | undefined;
  readonly bus: Bus;
}

/** From the door inwards: each room still has behind it what its last requests need. */
async function stop(graceMs: number, rooms: Rooms): Promise<void> {
  const { batching, worker, router, explainability, sockets, bus } = rooms;
  // A load call that is waited for would hold the door open.
  worker?.abandonLoads();
  // Explanations go through the door both ways.
  await Promise.all([router?.drain(graceMs), explainability?.drain(graceMs)]);
  sockets?.close();
  await worker?.drain(graceMs);
  await batching.drain();
  await bus.close();
}
