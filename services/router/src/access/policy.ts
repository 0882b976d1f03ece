import { ShoalError } from '@shoal/core';
import type { AuthFile, TenantSpec } from './auth-file';
import { DigestMap, missingKey, unknownKey } from './credentials';
import type { Group } from './groups';
import { ModelNames } from './model-names';
import type { Usage } from './quotas';

/** Who may do what, and what they use of it. */
export interface Tenant {
  readonly name: string;
  readonly models: ModelNames;
  readonly permissions: ReadonlySet<Group>;
  readonly usage: Usage;
}

/** A caller as its key shows it. */
export interface Identity {
  readonly tenant: Tenant;
  /** '' = no key. */
  readonly keyId: string;
  /** Epoch ms. */
  readonly expires: number;
}

/** One state of the auth file, to look callers up in. */
export class Policy {
  readonly #byDigest = new DigestMap<Identity>();
  readonly #anonymous: Identity | undefined;

  /** @param usageOf What a tenant has used; asked once for each. */
  constructor({ tenants, anonymous }: AuthFile, usageOf: (tenant: TenantSpec) => Usage) {
    for (const spec of tenants) {
      const tenant = tenantOf(spec, usageOf(spec));
      for (const { id, digest, expires } of spec.keys) this.#byDigest.set(digest, { tenant, keyId: id, expires });
    }
    if (anonymous) {
      this.#anonymous = { tenant: tenantOf(anonymous, usageOf(anonymous)), keyId: '', expires: Infinity };
    }
  }

  /**
   * Who brings this key.
   * @param digest Undefined: none was brought.
   * @throws ShoalError UNAUTHENTICATED
   */
  identify(digest: Buffer | undefined, epochMs: number): Identity {
    if (digest === undefined) {
      if (this.#anonymous) return this.#anonymous;
      throw missingKey();
    }
    const identity = this.#byDigest.get(digest);
    if (!identity) throw unknownKey();
    if (epochMs >= identity.expires) {
      throw new ShoalError(
        'UNAUTHENTICATED',
        `the key '${identity.keyId}' of tenant '${identity.tenant.name}' has expired`,
      );
    }
    return identity;
  }
}

function tenantOf({ name, models, permissions }: TenantSpec, usage: Usage): Tenant {
  return { name, models: new ModelNames(models), permissions: new Set(permissions), usage };
}
