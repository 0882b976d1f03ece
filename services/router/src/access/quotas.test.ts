import { Usage, noQuotas } from './quotas';

const rate = (perSecond: number, burst = perSecond) => ({ perSecond, burst });

function usage(quotas: Partial<typeof noQuotas>, routers = 1): Usage {
  const made = new Usage('lab');
  made.change({ ...noQuotas, ...quotas }, routers, 0);
  return made;
}

test('nothing is refused without quotas', () => {
  const free = usage({});
  for (let i = 0; i < 100; i += 1) expect(free.admit(1e6, 1e12, 0)).toBeUndefined();
  expect(free.inFlight).toBe(100);
});

test.each([
  ['requestsPerSecond', 2, 1, 1, '2 requests/s'],
  ['rowsPerSecond', 16, 8, 1, '16 rows/s'],
  ['bytesPerSecond', 2000, 1, 1000, '2000 bytes/s'],
] as const)('%s', (name, perSecond, rows, bytes, quota) => {
  const limited = usage({ [name]: rate(perSecond) });
  expect(limited.admit(rows, bytes, 0)).toBeUndefined();
  expect(limited.admit(rows, bytes, 0)).toBeUndefined();
  const refusal = limited.admit(rows, bytes, 0);
  expect(refusal?.error.code).toBe('RESOURCE_EXHAUSTED');
  expect(refusal?.error.message).toBe(`tenant 'lab' is at its quota of ${quota}; try again when 0.5 s have passed`);
  expect(refusal?.retryMs).toBe(500);
  expect(limited.inFlight).toBe(2);
  expect(limited.admit(rows, bytes, 500)).toBeUndefined();
});

test('compute time is charged afterwards: the debt has to be paid before the next request', () => {
  const limited = usage({ computeMsPerSecond: rate(100) });
  expect(limited.admit(1, 1, 0)).toBeUndefined();
  limited.release(400, 0);
  expect(limited.admit(1, 1, 0)).toMatchObject({
    retryMs: 3000,
    error: { message: "tenant 'lab' is at its quota of 100 ms of compute/s; try again when 3 s have passed" },
  });
  expect(limited.admit(1, 1, 3000)).toBeUndefined();
});

test('the longest wait is named, and a refused request takes nothing from any quota', () => {
  const limited = usage({ requestsPerSecond: rate(10), rowsPerSecond: rate(1) });
  expect(limited.admit(1, 0, 0)).toBeUndefined();
  for (let i = 0; i < 20; i += 1) expect(limited.admit(1, 0, 0)?.error.message).toContain('1 rows/s');
  expect(limited.admit(1, 0, 1000)).toBeUndefined();
});

test('in flight: freed by an end, not by time', () => {
  const limited = usage({ maxInFlight: 2 });
  limited.admit(1, 1, 0);
  limited.admit(1, 1, 0);
  expect(limited.admit(1, 1, 1e9)).toMatchObject({
    retryMs: undefined,
    error: { message: "tenant 'lab' is at its quota of 2 requests in flight; try again when some are answered" },
  });
  limited.release(0, 1e9);
  expect(limited.admit(1, 1, 1e9)).toBeUndefined();
});

test('routers share a quota, and one that is left alone has it whole', () => {
  const limited = usage({ requestsPerSecond: rate(4), maxInFlight: 8 }, 4);
  expect(limited.admit(1, 1, 0)).toBeUndefined();
  const text = limited.admit(1, 1, 0)?.error.message;
  expect(text).toContain('quota of 4 requests/s, of which this router has one part in 4; try again when 1 s');
  limited.change({ ...noQuotas, requestsPerSecond: rate(4), maxInFlight: 8 }, 1, 0);
  expect(limited.admit(1, 1, 250)).toBeUndefined();
});

test('a share in flight is never less than one', () => {
  const limited = usage({ maxInFlight: 2 }, 5);
  expect(limited.admit(1, 1, 0)).toBeUndefined();
  expect(limited.admit(1, 1, 0)?.error.code).toBe('RESOURCE_EXHAUSTED');
});
