import type { Clock } from '@shoal/core';
import type { Catalog } from '../catalog/catalog';
import type { VersionEntry } from '../catalog/version-entry';
import type { InferListener } from '../infer/infer-call';
import type { Side } from './choose-side';
import { CountedListener } from './counted-listener';
import type { ModelTraffic } from './traffic-table';
import type { ShadowRule } from './traffic-rules';

/** Where a route looks things up. */
export interface RouteDeps {
  readonly catalog: Catalog;
  /** The stable version by the rules that hold now, which may have changed since the request came. */
  readonly stableNow: () => string;
}

/** The way of one request: the side that was chosen for it when it came, which it keeps when it has to be planned again. */
export class Route {
  readonly traffic: ModelTraffic;
  /** Its answer is to be compared by this rule. */
  readonly shadow: ShadowRule | undefined;
  readonly #deps: RouteDeps;
  #side: Side;
  #fellBack = false;
  #accepted: CountedListener | undefined;

  constructor(traffic: ModelTraffic, side: Side, shadow: ShadowRule | undefined, deps: RouteDeps) {
    this.traffic = traffic;
    this.shadow = shadow;
    this.#side = side;
    this.#deps = deps;
  }

  /**
   * The version that is to answer; a canary that is not ready is as if there were none.
   * @throws ShoalError as `Catalog.resolve`, of the stable version.
   */
  resolve(): VersionEntry {
    const { model, rules } = this.traffic.state;
    const { catalog, stableNow } = this.#deps;
    if (this.#side === 'canary') {
      const canary = catalog.find(model, rules.canary?.version ?? '');
      if (canary) return canary;
      this.fallBack();
    }
    // It may have been unloaded since the request came, after a promotion.
    return catalog.find(model, rules.stable) ?? catalog.resolve(model, stableNow());
  }

  /** Goes to the stable version in place of the canary; false where it does so anyway. */
  fallBack(): boolean {
    if (this.#side === 'stable') return false;
    this.#side = 'stable';
    this.#fellBack = true;
    if (this.#accepted) {
      const { counters } = this.traffic;
      counters.fallbacks += 1;
      this.#accepted.moveTo(counters.stable);
    }
    return true;
  }

  /** Counts it as accepted; who listens is told what came of it. */
  accept(listener: InferListener, clock: Clock): InferListener {
    const { counters } = this.traffic;
    if (this.#fellBack) counters.fallbacks += 1;
    this.#accepted = new CountedListener(listener, counters[this.#side], clock);
    return this.#accepted;
  }
}
