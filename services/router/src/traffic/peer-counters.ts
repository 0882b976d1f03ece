import { type Bus, Instances, type RouterAnnouncement, instanceSubject, routersPrefix } from '@shoal/bus';
import { type TrafficCounters, sumCounters } from './counters';
import type { TrafficTable } from './traffic-table';

/** Served by each router, as `router.traffic.<id>`: what it has counted. */
const countersSubject = 'router.traffic';
const timeoutMs = 2_000;

interface CountersCall {
  /** Their rules' revisions by model. */
  readonly revisions: Readonly<Record<string, number>>;
}

type CountersAnswer = Readonly<Record<string, TrafficCounters>>;

/** Counters of a model's traffic, over all routers that answered. */
export interface SummedCounters {
  readonly counters: TrafficCounters;
  readonly routers: number;
}

/** Answers other routers what this one has counted, and asks them. */
export class PeerCounters {
  readonly #bus: Bus;
  readonly #id: string;
  readonly #routers: Instances;
  readonly #unserve: () => void;

  constructor(bus: Bus, id: string, table: TrafficTable) {
    this.#bus = bus;
    this.#id = id;
    this.#unserve = bus.serve<CountersCall, CountersAnswer>(instanceSubject(countersSubject, id), ({ revisions }) => {
      const counted = table.all().filter(({ state, revision }) => revisions[state.model] === revision);
      return Promise.resolve(Object.fromEntries(counted.map(({ state, counters }) => [state.model, counters])));
    });
    this.#routers = new Instances(bus, routersPrefix);
    bus.announce<RouterAnnouncement>(`${routersPrefix}${id}`, { id });
  }

  /** This router can be reached there by members of the cluster. */
  listens(address: string, encrypted: boolean): void {
    const id = this.#id;
    this.#bus.announce<RouterAnnouncement>(`${routersPrefix}${id}`, { id, address, encrypted });
  }

  /** The sums for rules of these revisions, by model. Routers that know other ones, or cannot be reached, are left out. */
  async sums(revisions: ReadonlyMap<string, number>): Promise<Map<string, SummedCounters>> {
    const call = { revisions: Object.fromEntries(revisions) };
    const answers = await this.#routers.callEach<CountersCall, CountersAnswer>(countersSubject, call, timeoutMs);
    const sums = new Map<string, SummedCounters>();
    for (const model of revisions.keys()) {
      const counted = answers.flatMap((answer) => answer[model] ?? []);
      sums.set(model, { counters: sumCounters(counted), routers: counted.length });
    }
    return sums;
  }

  close(): void {
    this.#unserve();
    this.#routers.close();
    this.#bus.withdraw(`${routersPrefix}${this.#id}`);
  }
}
