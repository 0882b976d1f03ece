import { type Clock, ShoalError } from '@shoal/core';
import { clip } from './clip';
import type { Group } from './groups';
import type { Identity, Policy } from './policy';
import type { Usage } from './quotas';

/** What a caller needs to know of its router while it lasts. */
export interface CallerHost {
  readonly clock: Clock;
  /** As it stands: another object after each change of the file. */
  readonly policy: Policy;
}

/** A call that may add to its trailers. */
export interface Trailers {
  setTrailers(metadata: Readonly<Record<string, string>>): void;
}

/**
 * Who makes a call, and so what it may do. It lasts as long as the call: a stream's requests are each judged by the file as it
 * stands by then.
 */
export class Caller {
  readonly #host: CallerHost;
  readonly #digest: Buffer | undefined;
  readonly #group: Group;
  /** Of a call that ends with its first refusal. */
  readonly #trailers: Trailers | undefined;
  #policy: Policy;
  #identity: Identity;

  /**
   * @param digest Of the key; undefined = none.
   * @throws ShoalError UNAUTHENTICATED
   */
  constructor(host: CallerHost, digest: Buffer | undefined, group: Group, trailers: Trailers | undefined) {
    this.#host = host;
    this.#digest = digest;
    this.#group = group;
    this.#trailers = trailers;
    this.#policy = host.policy;
    this.#identity = host.policy.identify(digest, host.clock.epochMs());
  }

  get tenant(): string {
    return this.#identity.tenant.name;
  }

  /** '' = none. */
  get keyId(): string {
    return this.#identity.keyId;
  }

  /** Every model may be used. */
  get allModels(): boolean {
    return this.#identity.tenant.models.all;
  }

  mayUse(model: string): boolean {
    return this.#identity.tenant.models.has(model);
  }

  /**
   * @param group Default: the call's own.
   * @throws ShoalError PERMISSION_DENIED when the tenant may not make such calls.
   */
  checkGroup(group = this.#group): void {
    if (this.#identity.tenant.permissions.has(group)) return;
    const text = `tenant '${this.tenant}' is not permitted calls of the group '${group}'`;
    throw new ShoalError('PERMISSION_DENIED', text);
  }

  /**
   * Whether the model is there is not looked at, so the answer says nothing about it.
   * @throws ShoalError PERMISSION_DENIED; UNAUTHENTICATED when the key was taken back meanwhile.
   */
  checkModel(model: string): void {
    this.#renew();
    if (this.mayUse(model)) return;
    const text = `tenant '${this.tenant}' may not use a model called '${clip(model, 256)}', whether there is one or not`;
    throw new ShoalError('PERMISSION_DENIED', text);
  }

  /**
   * Counts a request; `release` of what it returns must follow.
   * @throws ShoalError RESOURCE_EXHAUSTED
   */
  admit(rows: number, bytes: number): Usage {
    const { usage } = this.#identity.tenant;
    const refusal = usage.admit(rows, bytes, this.#host.clock.now());
    if (!refusal) return usage;
    if (refusal.retryMs !== undefined) {
      this.#trailers?.setTrailers({ 'grpc-retry-pushback-ms': String(Math.ceil(refusal.retryMs)) });
    }
    throw refusal.error;
  }

  /** Looks again where time has passed or the file has changed. */
  #renew(): void {
    const { policy, clock } = this.#host;
    if (policy === this.#policy && this.#identity.expires === Infinity) return;
    this.#identity = policy.identify(this.#digest, clock.epochMs());
    this.#policy = policy;
    this.checkGroup();
  }
}
