import {
  type Bus,
  type RetireCall,
  type StatisticsCall,
  type VersionStatistics,
  batchingPrefix,
  retireSubject,
  statisticsSubject,
} from '@shoal/bus';
import type { Clock } from '@shoal/core';
import type { Hello, LinkTransport } from '@shoal/link';
import type { Logger } from '@shoal/telemetry';
import { Dispatcher } from './dispatcher';
import type { BatchingConfig } from './flags';
import { RouterLink } from './router-link';
import { RunnerLinks } from './runner-links';
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
}

/** A running batching instance. */
export interface BatchingService {
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
  const dispatcher = new Dispatcher(clock, deps.config);
  const listener = await transport.listen(deps.address, self, (link) => {
    const router = new RouterLink(link);
    link.onMessage((message) => {
      if (message.kind === 'offer') dispatcher.offer(router, message);
      else if (message.kind === 'cancel') dispatcher.cancel(router, message);
    });
    link.onClose(() => dispatcher.routerLost(router));
  });
  const versions = new VersionQueues(bus, {
    open: (version, config) => dispatcher.open(version, config),
    gone: (key) => dispatcher.expel(key),
  });
  const runners = new RunnerLinks({ bus, transport, clock, logger }, self, dispatcher);
  const announcement = `${batchingPrefix}${deps.id}`;
  bus.announce(announcement, { id: deps.id, address: listener.address });
  const stopServing = [
    bus.serve<RetireCall, object>(retireSubject, async ({ queue, timeoutMs }) => {
      await dispatcher.retire(queue, timeoutMs);
      return {};
    }),
    bus.serve<StatisticsCall, VersionStatistics[]>(statisticsSubject, (call) => {
      const reports = versions.asked(call).map((version) => dispatcher.statistics(version));
      return Promise.resolve(reports.filter((report) => report !== undefined));
    }),
  ];
  logger.verbose(1, 'batching listens', { id: deps.id, address: listener.address });

  async function drain(): Promise<void> {
    versions.close();
    bus.withdraw(announcement);
    for (const stop of stopServing) stop();
    await dispatcher.drain(deps.config.batchingDrainTimeoutSecs * 1000);
    await listener.close();
    await runners.close();
    dispatcher.close();
  }
  let drained: Promise<void> | undefined;
  return { drain: () => (drained ??= drain()) };
}
