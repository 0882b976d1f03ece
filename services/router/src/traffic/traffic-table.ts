import type { StateEntry, StateStore } from '@shoal/bus';
import type { Random } from '@shoal/core';
import { type InferRequestView, parseModelVersion } from '@shoal/protocol';
import type { Catalog } from '../catalog/catalog';
import { type RequestHeaders, chooseSide } from './choose-side';
import { type TrafficCounters, newCounters } from './counters';
import { Route } from './route';
import { type TrafficState, noRules, trafficPrefix } from './traffic-rules';

/** The rules of one model as one router knows them, and what it did by them. */
export interface ModelTraffic {
  readonly state: TrafficState;
  readonly revision: number;
  readonly counters: TrafficCounters;
}

/** The rules of all models that have some, as they stand in the state store. */
export class TrafficTable {
  readonly #catalog: Catalog;
  readonly #random: Random;
  readonly #byModel = new Map<string, ModelTraffic>();
  readonly #unwatch: () => void;

  constructor(store: StateStore, catalog: Catalog, random: Random) {
    this.#catalog = catalog;
    this.#random = random;
    this.#unwatch = store.watch<TrafficState>(trafficPrefix, (key, entry) => {
      this.apply(key.slice(trafficPrefix.length), entry);
    });
  }

  close(): void {
    this.#unwatch();
  }

  /** Takes what holds from now on; undefined = no rules. What was written here comes by the watch once more, and changes nothing. */
  apply(model: string, entry: StateEntry<TrafficState> | undefined): void {
    if (!entry) {
      this.#byModel.delete(model);
      return;
    }
    const { value: state, revision } = entry;
    if (revision === this.#byModel.get(model)?.revision) return;
    this.#byModel.set(model, { state, revision, counters: newCounters() });
  }

  get(model: string): ModelTraffic | undefined {
    return this.#byModel.get(model);
  }

  /** By model name. */
  all(): ModelTraffic[] {
    return [...this.#byModel.values()].sort((a, b) => (a.state.model < b.state.model ? -1 : 1));
  }

  /**
   * The way of a request for a model that has rules; undefined for all others, and for those that name their version.
   * @throws ShoalError INVALID_ARGUMENT for a version that is no number, where the model has rules.
   */
  route(view: InferRequestView, headers: RequestHeaders): Route | undefined {
    if (this.#byModel.size === 0) return undefined;
    const traffic = this.#byModel.get(view.modelName);
    if (!traffic || parseModelVersion(view.modelVersion) !== undefined) return undefined;
    const { rules } = traffic.state;
    const side = chooseSide(view.modelName, rules, headers, this.#random);
    const { shadow } = rules;
    const shadowed = shadow !== undefined && this.#random.next() * 100 < shadow.percent;
    return new Route(traffic, side, shadowed ? shadow : undefined, {
      catalog: this.#catalog,
      stableNow: () => (this.#byModel.get(view.modelName)?.state.rules ?? noRules).stable,
    });
  }
}
