import type { VersionMeters } from '../metrics/version-meters';
import { type VersionAnnouncement, leavingReason, queueKey } from '@shoal/bus';
import { type ModelConfig, type ModelSignature, compileSignature } from '@shoal/protocol';

/** The reason of a version that served, and that no worker speaks of any more. */
export const missedReason = 'no model-worker that serves it is there';

/** One loading of a model version as it was announced last. */
export class VersionEntry {
  readonly announcement: VersionAnnouncement;
  /** Where its requests are queued. */
  readonly queue: string;
  /** Nobody asked for its end, and yet it does not serve: its workers have gone, or are about to, or come back just now. */
  readonly missed: boolean;
  /** Bound at its first request. */
  meters: VersionMeters | undefined;
  /** Its answers leave in the order of the requests. */
  readonly ordered: boolean;
  #signature: ModelSignature | undefined;

  /** @param before The same version as it was announced before. */
  constructor(announcement: VersionAnnouncement, before?: VersionEntry) {
    const { state, reason } = announcement;
    this.announcement = announcement;
    const served = before !== undefined && (before.ready || before.missed);
    this.missed = reason === missedReason || reason === leavingReason || (state === 'LOADING' && served);
    this.queue = queueKey(announcement);
    this.ordered = announcement.config?.dynamic_batching?.preserve_ordering ?? false;
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
