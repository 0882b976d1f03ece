import type { Lifecycle } from '@shoal/core';
import type { HealthSource, ServingStatus } from '@shoal/rpc';
import type { Catalog } from './catalog/catalog';

export interface ReadinessParts {
  readonly lifecycle: Lifecycle;
  readonly catalog: Catalog;
  /** Every model counts; else the server alone. */
  readonly strict: boolean;
  /** The server is not ready before this is settled. */
  readonly after: Promise<unknown> | undefined;
}

/** Whether the server should be sent requests: one truth for ServerReady and the health service. */
export class Readiness implements HealthSource {
  readonly #lifecycle: Lifecycle;
  readonly #catalog: Catalog;
  readonly #strict: boolean;
  readonly #listeners = new Set<() => void>();
  #waiting: boolean;

  constructor({ lifecycle, catalog, strict, after }: ReadinessParts) {
    this.#lifecycle = lifecycle;
    this.#catalog = catalog;
    this.#strict = strict;
    this.#waiting = after !== undefined;
    const settled = () => {
      this.#waiting = false;
      this.#tell();
    };
    after?.then(settled, settled);
    lifecycle.onChange(() => this.#tell());
    catalog.onChange(() => this.#tell());
  }

  get ready(): boolean {
    if (this.#waiting || this.ended()) return false;
    return !this.#strict || this.#catalog.allReady();
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
