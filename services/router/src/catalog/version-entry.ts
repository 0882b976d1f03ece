import { type VersionAnnouncement, queueKey } from '@shoal/bus';
import { type ModelConfig, type ModelSignature, compileSignature } from '@shoal/protocol';

/** One loading of a model version as it was announced last. */
export class VersionEntry {
  readonly announcement: VersionAnnouncement;
  /** Where its requests are queued. */
  readonly queue: string;
  #signature: ModelSignature | undefined;

  constructor(announcement: VersionAnnouncement) {
    this.announcement = announcement;
    this.queue = queueKey(announcement);
  }

  get version(): string {
    return String(this.announcement.version);
  }

  /** READY, with all that serving needs. */
  get ready(): boolean {
    return this.announcement.state === 'READY' && this.announcement.config !== undefined;
  }

  /** The normalised config; only of versions that are ready. */
  get config(): ModelConfig {
    const { config } = this.announcement;
    if (config === undefined) throw new Error(`${this.queue} has no config`);
    return config;
  }

  /** Compiled when it is first needed. @throws ShoalError INVALID_ARGUMENT for a tensor without a data type. */
  get signature(): ModelSignature {
    this.#signature ??= compileSignature(this.config, this.announcement.version);
    return this.#signature;
  }
}
