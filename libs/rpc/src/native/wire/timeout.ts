/** `grpc-timeout` (gRPC over HTTP/2, "Timeout") is at most eight digits and a unit. */
const maxDigits = 8;
const unitMs: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
const maxValue = 99_999_999;
/** More than a 32-bit count of milliseconds, 24 days, is never waited for by anybody: no deadline. */
const endlessMs = 2 ** 31 - 1;

/**
 * Milliseconds that a `grpc-timeout` header gives a call, with a fraction; Infinity for those that are as good as none, NaN for what
 * is no timeout.
 */
export function parseTimeout(header: string): number {
  const digits = header.length - 1;
  const unit = unitMs[header.charAt(digits)];
  if (unit === undefined || digits < 1 || digits > maxDigits) return Number.NaN;
  let value = 0;
  // Not by a regular expression: clients with deadlines send a new one with each call.
  for (let i = 0; i < digits; i++) {
    const digit = header.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  const ms = value * unit;
  return ms > endlessMs ? Number.POSITIVE_INFINITY : ms;
}

/** The header for a timeout in milliseconds: in the finest unit that eight digits hold, rounded up. */
export function formatTimeout(ms: number): string {
  const left = Math.max(0, ms);
  for (const unit of ['m', 'S', 'M'] as const) {
    const value = Math.ceil(left / unitMs[unit]!);
    if (value <= maxValue) return `${value}${unit}`;
  }
  return `${Math.min(maxValue, Math.ceil(left / unitMs['H']!))}H`;
}
