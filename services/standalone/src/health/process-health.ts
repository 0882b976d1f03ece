import type { HealthSource, ServingStatus } from '@shoal/rpc';

/** The service to ask whether the process answers at all, whatever it can do: a restart would mend that, and nothing else. */
export const livenessService = 'liveness';

/**
 * What a process says of its health. As a whole it serves once all that it waits for has come, and until it begins to end;
 * by the name of `livenessService` it always does.
 */
export class ProcessHealth implements HealthSource {
  readonly #listeners = new Set<() => void>();
  #ready = false;
  #ending = false;
  #source: HealthSource | undefined;

  /** It has become able to do its work. */
  ready(): void {
    this.#ready = true;
    this.#tell();
  }

  /** Whether it is able changes, and this knows. */
  follow(source: HealthSource): void {
    this.#source = source;
    source.onChange(() => this.#tell());
    this.ready();
  }

  /** It takes nothing new from now on. */
  end(): void {
    this.#ending = true;
    this.#tell();
  }

  status(): ServingStatus {
    if (!this.#ready || this.#ending) return 'NOT_SERVING';
    return this.#source?.status() ?? 'SERVING';
  }

  statusOf(service: string): ServingStatus | undefined {
    return service === livenessService ? 'SERVING' : undefined;
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  ended(): boolean {
    return this.#ending;
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
