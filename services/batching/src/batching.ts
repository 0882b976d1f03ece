import {
  type Bus,
  type QueueReport,
  type QueuesCall,
  type RequestCall,
  type RequestStory,
  type RetireCall,
  type StatisticsCall,
  type VersionStatistics,
  batchingPrefix,
  instanceSubject,
  queuesSubject,
  requestSubject,
  retireSubject,
  statisticsSubject,
} from '@shoal/bus';
import type { Clock, Random } from '@shoal/core';
import type { Hello, LinkTransport } from '@shoal/link';
import type { Logger, MetricRegistry, Tracing } from '@shoal/telemetry';
import { CurveKeeper } from './curves/curve-keeper';
import { fileCurves } from './curves/file-curves';
import { stateCurves } from './curves/state-curves';
import { Dispatcher } from './dispatcher';
import type { BatchingConfig } from './flags';
import { BatchingMetrics } from './metrics/batching-metrics';
import { RouterLink } from './router-link';
import { RunnerLinks } from './runner-links';
import { BatchSpans } from './tracing/batch-spans';
import { VersionQueues } from './version-queues';

/** What a batching instance is made of. */
export interface BatchingDeps {
  /** Unique in the cluster. */
  readonly id: string;
  /** Where routers reach it: `inproc:NAME` or HOST:PORT. */
  readonly address: string;
  readonly bus: Bus;
  readonly transport: LinkTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: BatchingConfig;
  /** Where its metrics are kept; absent: nothing is measured. */
  readonly metrics?: MetricRegistry | undefined;
  /** Undefined: nothing is recorded. */
  readonly tracing?: Tracing | undefined;
  /** Given where other instances may grant batches to the same runners: numbers of batches must not meet there. */
  readonly random?: Random;
}

/** Numbers of batches per instance, and how many instances fit below 2^53. */
const batchesPerInstance = 2 ** 32;
const batchRanges = 2 ** 20;

/** A running batching instance. */
export interface BatchingService {
  /** Where routers reach it; a port 0 has become the one that was bound. */
  readonly address: string;
  /** Takes no more requests, waits for what it has, ends its links. */
  drain(): Promise<void>;
}

/**
 * Starts a batching instance: it takes routers' links at its address, follows versions and runners on the bus, and
 * announces itself once it can be reached.
 * @throws ShoalError UNAVAILABLE when the address cannot be bound.
 */
export async function startBatching(deps: BatchingDeps): Promise<BatchingService> {
  const { bus, transport, clock, logger } = deps;
  const self: Hello = { kind: 'hello', role: 'batching', id: deps.id };
  const lastBatchId = deps.random ? Math.floor(deps.random.next() * batchRanges) * batchesPerInstance : 0;
  const spans = deps.tracing && new BatchSpans(deps.tracing.tracer('batching'), clock);
  const metrics = deps.metrics && new BatchingMetrics(deps.metrics);
  const dispatcher = new Dispatcher(clock, deps.config, lastBatchId, (key) => versions.drained(key), metrics, spans);
  let routers = 0;
  metrics?.followLinks('router', () => ({ open: routers, connecting: 0 }));
  const { latencyFile } = deps.config;
  const store = latencyFile === '' ? stateCurves(bus.state, logger) : await fileCurves(latencyFile, logger);
  const keeper = new CurveKeeper(store, dispatcher, clock);
  const listener = await transport.listen(deps.address, self, (link) => {
    const router = new RouterLink(link);
    routers += 1;
    link.onMessage((message) => {
      if (message.kind === 'offer') dispatcher.offer(router, message);
      else if (message.kind === 'cancel') dispatcher.cancel(router, message);
    });
    link.onClose(() => {
      routers -= 1;
      dispatcher.routerLost(router);
    });
  });
  const versions = new VersionQueues(bus, {
    open: (version, config) => dispatcher.open(version, config, keeper.known(`${version.model}/${version.version}`)),
    gone: (key) => dispatcher.expel(key),
  });
  const runners = new RunnerLinks({ bus, transport, clock, logger }, self, dispatcher);
  metrics?.followLinks('runner', () => runners.count());
  const announcement = `${batchingPrefix}${deps.id}`;
  bus.announce(announcement, { id: deps.id, address: listener.address });
  const stopServing = [
    bus.serve<RetireCall, object>(instanceSubject(retireSubject, deps.id), async ({ queue, worker, timeoutMs }) => {
      if (versions.mayRetire(queue, worker)) await dispatcher.retire(queue, timeoutMs);
      return {};
    }),
    bus.serve<StatisticsCall, VersionStatistics[]>(instanceSubject(statisticsSubject, deps.id), (call) => {
      const reports = versions.asked(call).map((version) => dispatcher.statistics(version));
      return Promise.resolve(reports.filter((report) => report !== undefined));
    }),
    bus.serve<RequestCall, RequestStory[]>(instanceSubject(requestSubject, deps.id), ({ requestId, most }) =>
      Promise.resolve(dispatcher.stories(requestId, most)),
    ),
    bus.serve<QueuesCall, QueueReport[]>(instanceSubject(queuesSubject, deps.id), ({ model }) =>
      Promise.resolve(dispatcher.queues(model)),
    ),
  ];
  logger.verbose(1, 'batching listens', { id: deps.id, address: listener.address });

  async function drain(): Promise<void> {
    versions.close();
    bus.withdraw(announcement);
    for (const stop of stopServing) stop();
    await keeper.close();
    await dispatcher.drain(deps.config.batchingDrainTimeoutSecs * 1000);
    await listener.close();
    await runners.close();
    dispatcher.close();
    metrics?.close();
  }
  let drained: Promise<void> | undefined;
  return { address: listener.address, drain: () => (drained ??= drain()) };
}
