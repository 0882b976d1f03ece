import { ShoalError } from '@shoal/core';
import { expiryExpected, expiryOf } from './expiry';
import { Field } from './field-reader';
import { type Group, defaultPermissions, groups } from './groups';
import { type Quotas, noQuotas } from './quotas';
import type { Rate } from './token-bucket';

/** A key as the file knows it: never the key itself. */
export interface KeySpec {
  readonly id: string;
  /** SHA-256 of the key. */
  readonly digest: Buffer;
  /** Epoch ms from which it is refused; Infinity = never. */
  readonly expires: number;
}

export interface TenantSpec {
  readonly name: string;
  /** Several, so that one can take another's place while both work; none for `anonymous`. */
  readonly keys: readonly KeySpec[];
  /** Names, or patterns with `*`. */
  readonly models: readonly string[];
  readonly permissions: readonly Group[];
  readonly quotas: Quotas;
}

/** What `--auth-file` says. */
export interface AuthFile {
  readonly tenants: readonly TenantSpec[];
  /** Callers without a key; undefined: they are refused. */
  readonly anonymous: TenantSpec | undefined;
}

/** Beyond these, sums and shares of a rate come to nothing, and waiting times to no number. */
const leastRate = 0.000001;
const mostRate = 1e15;

const anonymousName = 'anonymous';
const name = /^[\w.@-]{1,64}$/;
const nameExpected = 'up to 64 letters, digits and . _ @ -';

/** @throws ShoalError INVALID_ARGUMENT that names the place, as in `tenants[0].keys[1].sha256: expected …`. */
export function parseAuthFile(text: string): AuthFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    // The parser's own message repeats the text around the place.
    throw new ShoalError('INVALID_ARGUMENT', `it is not JSON${placeOf(text, thrown)}`);
  }
  const { tenants, anonymous } = new Field(json, '').fields('tenants', 'anonymous');
  const named = tenants.list(0).map(readTenant);
  refuseRepeated(named);
  return { tenants: named, anonymous: anonymous.given ? readAnonymous(anonymous) : undefined };
}

function readTenant(tenant: Field): TenantSpec {
  const fields = tenant.fields('name', 'keys', 'models', 'permissions', 'quotas');
  const called = fields.name.text(name, nameExpected);
  if (called === anonymousName) {
    throw fields.name.wrong("a name other than 'anonymous', which has a field of its own beside `tenants`");
  }
  return { name: called, keys: fields.keys.list(1).map(readKey), ...readRights(fields) };
}

function readAnonymous(tenant: Field): TenantSpec {
  return { name: anonymousName, keys: [], ...readRights(tenant.fields('models', 'permissions', 'quotas')) };
}

function readRights({ models, permissions, quotas }: Readonly<Record<'models' | 'permissions' | 'quotas', Field>>) {
  return {
    models: models
      .list(0)
      .map((model) => model.text(/^\P{Cc}{1,1024}$/u, 'a name of a model, in which * stands for any text')),
    permissions: permissions.given ? permissions.list(0).map(readPermission) : defaultPermissions,
    quotas: quotas.given ? readQuotas(quotas) : noQuotas,
  };
}

function readPermission(permission: Field): Group {
  return permission.text(new RegExp(`^(?:${groups.join('|')})$`), `one of ${groups.join(', ')}`) as Group;
}

function readKey(key: Field): KeySpec {
  const { id, sha256, expires } = key.fields('id', 'sha256', 'expires');
  return {
    id: id.text(name, nameExpected),
    digest: Buffer.from(
      sha256.text(/^[\da-fA-F]{64}$/, 'the SHA-256 of the key in 64 hexadecimal digits, as `shoal key` prints it'),
      'hex',
    ),
    expires: expires.given ? readExpiry(expires) : Infinity,
  };
}

function readExpiry(expires: Field): number {
  const time = expiryOf(expires.text(/^/, expiryExpected));
  if (time === undefined) throw expires.wrong(expiryExpected);
  return time;
}

function readQuotas(quotas: Field): Quotas {
  const fields = quotas.fields(
    'requestsPerSecond',
    'rowsPerSecond',
    'bytesPerSecond',
    'computeMsPerSecond',
    'maxInFlight',
  );
  return {
    requestsPerSecond: readRate(fields.requestsPerSecond),
    rowsPerSecond: readRate(fields.rowsPerSecond),
    bytesPerSecond: readRate(fields.bytesPerSecond),
    computeMsPerSecond: readRate(fields.computeMsPerSecond),
    maxInFlight: fields.maxInFlight.given
      ? fields.maxInFlight.number((value) => Number.isSafeInteger(value) && value > 0, 'a whole number above 0')
      : undefined,
  };
}

/** A number alone is also the burst: what a second allows may come at once. */
function readRate(rate: Field): Rate | undefined {
  if (!rate.given) return undefined;
  const isRate = (value: number) => value >= leastRate && value <= mostRate;
  const expected = `a number from ${leastRate} to ${mostRate}`;
  if (!rate.isObject) {
    const perSecond = rate.number(isRate, `${expected}, or { "rate": NUMBER, "burst": NUMBER }`);
    return { perSecond, burst: perSecond };
  }
  const fields = rate.fields('rate', 'burst');
  const perSecond = fields.rate.number(isRate, expected);
  return { perSecond, burst: fields.burst.given ? fields.burst.number(isRate, expected) : perSecond };
}

function refuseRepeated(tenants: readonly TenantSpec[]): void {
  const names = new Set<string>();
  const digests = new Map<string, string>();
  tenants.forEach((tenant, t) => {
    if (names.has(tenant.name)) throw repeated(`tenants[${t}].name`, `another tenant is called '${tenant.name}' too`);
    names.add(tenant.name);
    const ids = new Set<string>();
    tenant.keys.forEach(({ id, digest }, k) => {
      const place = `tenants[${t}].keys[${k}]`;
      if (ids.has(id)) throw repeated(`${place}.id`, `another key of '${tenant.name}' is called '${id}' too`);
      ids.add(id);
      const other = digests.get(digest.toString('hex'));
      if (other !== undefined) throw repeated(`${place}.sha256`, `it is the key of ${other} too`);
      digests.set(digest.toString('hex'), place);
    });
  });
}

function repeated(place: string, text: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `${place}: ${text}`);
}

/** Where it stops being JSON, as far as the parser says. */
function placeOf(text: string, thrown: unknown): string {
  const at = /position (\d+)/.exec(String(thrown))?.[1];
  return at === undefined ? '' : ` (line ${text.slice(0, Number(at)).split('\n').length})`;
}
