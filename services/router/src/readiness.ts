import type { Lifecycle } from '@shoal/core';
import type { HealthSource, ServingStatus } from '@shoal/rpc';
import type { Catalog } from './catalog/catalog';
import type { RouterLinks } from './connections/router-links';

export interface ReadinessParts {
  readonly lifecycle: Lifecycle;
  readonly catalog: Catalog;
  readonly links: RouterLinks;
  /** Every model counts; else the server alone. */
  readonly strict: boolean;
  /** The server is not ready before this is settled. */
  readonly after: Promise<unknown> | undefined;
  /** Nor before a model is known. */
  readonly needsModels: boolean;
}

/** Whether the server should be sent requests: one truth for ServerReady and the health service. */
export class Readiness implements HealthSource {
  readonly #lifecycle: Lifecycle;
  readonly #catalog: Catalog;
  readonly #links: RouterLinks;
  readonly #needsModels: boolean;
  readonly #strict: boolean;
  readonly #listeners = new Set<() => void>();
  #waiting: boolean;

  constructor({ lifecycle, catalog, links, strict, after, needsModels }: ReadinessParts) {
    this.#lifecycle = lifecycle;
    this.#catalog = catalog;
    this.#links = links;
    this.#needsModels = needsModels;
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
    if (!this.#links.reachesBatching || (this.#needsModels && this.#catalog.empty)) return false;
    return this.#catalog.allReady();
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
