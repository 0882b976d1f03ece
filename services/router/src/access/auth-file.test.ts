import { ShoalError } from '@shoal/core';
import { parseAuthFile } from './auth-file';
import { expiryOf } from './expiry';

const sha256 = 'ab'.repeat(32);
const key = { id: 'k1', sha256 };
const tenant = { name: 'lab', keys: [key], models: ['*'] };

const parse = (json: unknown) => parseAuthFile(JSON.stringify(json));

test('a whole file, and what is assumed where it says nothing', () => {
  const { tenants, anonymous } = parse({
    tenants: [
      tenant,
      {
        name: 'vision',
        keys: [{ id: 'old', sha256: 'CD'.repeat(32), expires: '2027-01-31' }],
        models: ['resnet*', 'digits'],
        permissions: ['inference', 'traffic'],
        quotas: { requestsPerSecond: 5, computeMsPerSecond: { rate: 100, burst: 700 }, maxInFlight: 3 },
      },
    ],
    anonymous: { models: ['simple'], permissions: [] },
  });
  expect(tenants[0]).toMatchObject({
    permissions: ['health', 'metadata', 'inference', 'model-config', 'statistics'],
    keys: [{ id: 'k1', digest: Buffer.from(sha256, 'hex'), expires: Infinity }],
    quotas: { requestsPerSecond: undefined, maxInFlight: undefined },
  });
  expect(tenants[1]).toMatchObject({
    keys: [{ id: 'old', digest: Buffer.alloc(32, 0xcd), expires: Date.UTC(2027, 0, 31) }],
    permissions: ['inference', 'traffic'],
    quotas: {
      requestsPerSecond: { perSecond: 5, burst: 5 },
      rowsPerSecond: undefined,
      computeMsPerSecond: { perSecond: 100, burst: 700 },
      maxInFlight: 3,
    },
  });
  expect(anonymous).toMatchObject({ name: 'anonymous', keys: [], models: ['simple'], permissions: [] });
  expect(parse({ tenants: [] }).anonymous).toBeUndefined();
});

test.each([
  [[], 'expected an object'],
  [{}, 'tenants: is missing: expected a list'],
  [{ tenant: [] }, "unknown field 'tenant': did you mean tenants?"],
  [{ tenants: [{ ...tenant, model: [] }] }, "tenants[0]: unknown field 'model': did you mean models?"],
  [{ tenants: [{ ...tenant, name: 'a b' }] }, 'tenants[0].name: expected up to 64 letters'],
  [{ tenants: [{ ...tenant, name: 'anonymous' }] }, "tenants[0].name: expected a name other than 'anonymous'"],
  [{ tenants: [{ name: 'x', keys: [key] }] }, 'tenants[0].models: is missing: expected a list'],
  [{ tenants: [{ ...tenant, models: ['a', 7] }] }, 'tenants[0].models[1]: expected a name of a model'],
  [{ tenants: [{ ...tenant, keys: [] }] }, 'tenants[0].keys: expected a list of at least 1'],
  [
    { tenants: [{ ...tenant, keys: [{ id: 'k', sha256: 'shoal_k_secret' }] }] },
    'tenants[0].keys[0].sha256: expected the SHA-256',
  ],
  [
    { tenants: [{ ...tenant, keys: [{ ...key, expires: '2027-02-31' }] }] },
    'tenants[0].keys[0].expires: expected a date as',
  ],
  [
    { tenants: [{ ...tenant, permissions: ['inferences'] }] },
    'tenants[0].permissions[0]: expected one of health, metadata',
  ],
  [
    { tenants: [{ ...tenant, quotas: { requestsPerSecond: 0 } }] },
    'tenants[0].quotas.requestsPerSecond: expected a number from 0.000001 to 1000000000000000, or',
  ],
  [
    { tenants: [{ ...tenant, quotas: { requestsPerSecond: { rate: 1, burst: 5e-324 } } }] },
    'tenants[0].quotas.requestsPerSecond.burst: expected a number from',
  ],
  [
    { tenants: [{ ...tenant, quotas: { requestsPerSecond: 1e300 } }] },
    'tenants[0].quotas.requestsPerSecond: expected a number from',
  ],
  [
    { tenants: [{ ...tenant, quotas: { rowsPerSecond: { burst: 1 } } }] },
    'tenants[0].quotas.rowsPerSecond.rate: is missing',
  ],
  [
    { tenants: [{ ...tenant, quotas: { maxInFlight: 1.5 } }] },
    'tenants[0].quotas.maxInFlight: expected a whole number',
  ],
  [{ tenants: [{ ...tenant, quotas: { requestPerSecond: 1 } }] }, 'did you mean requestsPerSecond?'],
  [{ tenants: [tenant, tenant] }, "tenants[1].name: another tenant is called 'lab' too"],
  [
    { tenants: [tenant, { ...tenant, name: 'x' }] },
    'tenants[1].keys[0].sha256: it is the key of tenants[0].keys[0] too',
  ],
  [{ tenants: [{ ...tenant, keys: [key, key] }] }, "tenants[0].keys[1].id: another key of 'lab' is called 'k1' too"],
  [{ tenants: [], anonymous: { models: [], keys: [] } }, "anonymous: unknown field 'keys'"],
  [{ tenants: [], anonymous: null }, 'anonymous: expected an object'],
])('%j is refused', (json, message) => {
  const text = refusalOf(() => parse(json));
  expect(text).toContain(message);
  expect(text).not.toContain('shoal_k_secret');
});

/** The message of the ShoalError that `doing` ends with. */
function refusalOf(doing: () => void): string {
  try {
    doing();
  } catch (thrown) {
    if (thrown instanceof ShoalError) return thrown.message;
    throw thrown;
  }
  return 'nothing was refused';
}

test('what is no JSON is refused with its line, and without a word of what is there', () => {
  expect(() => parseAuthFile('{\n "tenants": [],\n "secret": ["k" 1] }')).toThrow(/^it is not JSON \(line 3\)$/);
  // Some of the parser's messages say no place.
  expect(() => parseAuthFile('secret')).toThrow(/^it is not JSON$/);
});

test('dates', () => {
  expect(expiryOf('2027-01-31')).toBe(Date.UTC(2027, 0, 31));
  expect(expiryOf('2027-01-31T12:30:00+02:00')).toBe(Date.UTC(2027, 0, 31, 10, 30));
  for (const wrong of ['', '2027', '2027-13-01', '2027-02-29', '2027-01-31T12:00', '2027-01-31T25:00Z', 'tomorrow']) {
    expect([wrong, expiryOf(wrong)]).toEqual([wrong, undefined]);
  }
});
