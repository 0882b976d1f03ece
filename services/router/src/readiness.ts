import type { Lifecycle } from '@shoal/core';
import type { HealthSource, ServingStatus } from '@shoal/rpc';
import type { Catalog } from './catalog/catalog';
import type { RouterLinks } from './connections/router-links';

export interface ReadinessParts {
  readonly lifecycle: Lifecycle;
  readonly catalog: Catalog;
  readonly links: RouterLinks;
  /** The models count; else the server alone. */
  readonly strict: boolean;
  /** The server is not ready before this is settled. */
  readonly after: Promise<unknown> | undefined;
  /** One of several doors to models that others serve. */
  readonly inCluster: boolean;
}

/**
 * Whether the server should be sent requests: one truth for ServerReady and the health service. On one machine that is
 * Triton's rule: while every model is ready. In a cluster all routers see the same models, so by that rule one broken model
 * would take all of them from their clients at once: there it is while the router has a link to batching and at least one
 * model serves, or none is missing.
 */
export class Readiness implements HealthSource {
  readonly #lifecycle: Lifecycle;
  readonly #catalog: Catalog;
  readonly #links: RouterLinks;
  readonly #inCluster: boolean;
  readonly #strict: boolean;
  readonly #listeners = new Set<() => void>();
  #waiting: boolean;

  constructor({ lifecycle, catalog, links, strict, after, inCluster }: ReadinessParts) {
    this.#lifecycle = lifecycle;
    this.#catalog = catalog;
    this.#links = links;
    this.#inCluster = inCluster;
    this.#strict = strict;
    this.#waiting = after !== undefined;
    const settled = () => {
      this.#waiting = false;
      this.#tell();
    };
    after?.then(settled, settled);
    lifecycle.onChange(() => this.#tell());
    catalog.onChange(() => this.#tell());
    links.onReach(() => this.#tell());
  }

  get ready(): boolean {
    if (this.#waiting || this.ended()) return false;
    if (!this.#strict) return true;
    if (!this.#links.reachesBatching) return false;
    if (!this.#inCluster) return this.#catalog.allReady();
    return !this.#catalog.empty && (this.#catalog.someReady() || this.#catalog.allReady());
  }

  status(): ServingStatus {
    return this.ready ? 'SERVING' : 'NOT_SERVING';
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  ended(): boolean {
    return this.#lifecycle.state !== 'READY';
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
