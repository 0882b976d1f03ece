import { type Bus, batchingPrefix, runnersPrefix } from '@shoal/bus';
import type { Clock, Random } from '@shoal/core';
import type { Hello, LinkTransport } from '@shoal/link';
import type { Logger } from '@shoal/telemetry';
import { RequestTable } from '../requests/request-table';
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

  constructor(deps: RouterLinksDeps) {
    const self: Hello = { kind: 'hello', role: 'router', id: deps.id };
    const parts = { ...deps, self };
    this.table = new RequestTable(deps.clock, {
      owner: (queue) => rendezvousOwner(queue, this.#batching.ids()),
      batching: (id) => this.#batching.get(id),
      runner: (id) => this.#runners.get(id),
    });
    const { table } = this;
    this.#batching = new LinkSet(parts, batchingPrefix, {
      opened: () => table.batchingOpened(),
      message: (_id, message) => table.batchingMessage(message),
      closed: (id) => table.batchingClosed(id),
    });
    this.#runners = new LinkSet(parts, runnersPrefix, {
      opened: (id) => table.runnerOpened(id),
      message: (id, message) => table.runnerMessage(id, message),
      closed: (id) => table.runnerClosed(id),
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#batching.close(), this.#runners.close()]);
  }
}
