import type { Clock } from '@shoal/core';
import type { CallContext } from '@shoal/rpc';
import type { AuthFile, TenantSpec } from './auth-file';
import { Caller, type CallerHost } from './caller';
import { digestOfKey } from './credentials';
import { groupOf } from './groups';
import { Policy } from './policy';
import { type Quotas, Usage } from './quotas';

/** Who may do what on this router, as the auth file says, and what each tenant has used. */
export class Access implements CallerHost {
  readonly clock: Clock;
  /** By tenant's name: a change of the file gives nobody a fresh start. */
  readonly #usages = new Map<string, { readonly usage: Usage; quotas: Quotas }>();
  #policy: Policy;
  #routers = 1;

  constructor(file: AuthFile, clock: Clock) {
    this.clock = clock;
    this.#policy = this.#policyOf(file);
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** The file has changed. */
  change(file: AuthFile): void {
    this.#policy = this.#policyOf(file);
  }

  /** How many routers share the quotas, this one included. */
  share(routers: number): void {
    if (routers === this.#routers) return;
    this.#routers = routers;
    for (const { usage, quotas } of this.#usages.values()) usage.change(quotas, routers, this.clock.now());
  }

  /**
   * Who makes this call; what it may do is asked of the caller.
   * @param once It ends with its first refusal, so that a hint when to come again may go with that.
   * @throws ShoalError UNAUTHENTICATED
   */
  identify(call: CallContext, once: boolean): Caller {
    return new Caller(this, digestOfKey(call), groupOf(call.path), once ? call : undefined);
  }

  #policyOf(file: AuthFile): Policy {
    const tenants = [...file.tenants, ...(file.anonymous ? [file.anonymous] : [])];
    const names = new Set(tenants.map(({ name }) => name));
    for (const [name, { usage }] of this.#usages) {
      if (!names.has(name) && usage.inFlight === 0) this.#usages.delete(name);
    }
    return new Policy(file, (tenant) => this.#usageOf(tenant));
  }

  #usageOf({ name, quotas }: TenantSpec): Usage {
    const entry = this.#usages.get(name) ?? { usage: new Usage(name), quotas };
    entry.quotas = quotas;
    entry.usage.change(quotas, this.#routers, this.clock.now());
    this.#usages.set(name, entry);
    return entry.usage;
  }
}
