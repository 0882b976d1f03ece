import { type Bus, batchingPrefix, runnersPrefix } from '@shoal/bus';
import type { Clock, Random } from '@shoal/core';
import type { Hello, LinkTransport } from '@shoal/link';
import type { Logger } from '@shoal/telemetry';
import type { RouterMetrics } from '../metrics/router-metrics';
import { RequestTable } from '../requests/request-table';
import type { Roads } from '../requests/roads';
import { LinkSet } from './link-set';
import { rendezvousOwner } from './rendezvous';

export interface RouterLinksDeps {
  readonly id: string;
  readonly bus: Bus;
  readonly transport: LinkTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The router's links to batching and to runners, and the table of requests that lives on them. */
export class RouterLinks {
  readonly table: RequestTable;
  readonly #batching: LinkSet;
  readonly #runners: LinkSet;
  #onReach: () => void = () => undefined;

  constructor(deps: RouterLinksDeps, metrics?: RouterMetrics) {
    const self: Hello = { kind: 'hello', role: 'router', id: deps.id };
    const parts = { ...deps, self };
    const roads: Roads = {
      owner: (queue) => rendezvousOwner(queue, this.#batching.reachable()),
      batching: (id) => this.#batching.get(id),
      runner: (id) => this.#runners.get(id),
    };
    this.table = new RequestTable(deps.clock, roads, metrics);
    const { table } = this;
    this.#batching = new LinkSet(parts, batchingPrefix, {
      opened: () => {
        table.batchingOpened();
        this.#onReach();
      },
      message: (_id, message) => table.batchingMessage(message),
      closed: (id) => {
        table.batchingClosed(id);
        this.#onReach();
      },
    });
    this.#runners = new LinkSet(parts, runnersPrefix, {
      opened: (id) => table.runnerOpened(id),
      message: (id, message) => table.runnerMessage(id, message),
      closed: (id) => table.runnerClosed(id),
    });
    metrics?.followLinks('batching', () => this.#batching.count());
    metrics?.followLinks('runner', () => this.#runners.count());
  }

  /** Whether a batching instance takes offers. */
  get reachesBatching(): boolean {
    for (const _ of this.#batching.reachable()) return true;
    return false;
  }

  /** Calls `changed` when that may have changed. */
  onReach(changed: () => void): void {
    this.#onReach = changed;
  }

  async close(): Promise<void> {
    await Promise.all([this.#batching.close(), this.#runners.close()]);
  }
}
