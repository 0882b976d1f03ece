/** gRPC's canonical codes (google.rpc.Code) by name: the whole vocabulary of failure between rooms and to clients. */
export const statusNumbers = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type ErrorCode = keyof typeof statusNumbers;

/**
 * The one error class. `message` is written for the user: what was wrong, what was expected, where; it never holds a
 * stack, a host path or an internal address. `cause` stays inside the process.
 */
export class ShoalError extends Error {
  readonly code: ErrorCode;
  /** When to try again, in milliseconds, where that is known. */
  readonly retryMs: number | undefined;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions & { readonly retryMs?: number | undefined }) {
    super(message, options);
    this.name = 'ShoalError';
    this.code = code;
    this.retryMs = options?.retryMs;
  }
}

/** What a client is told of anything thrown: a ShoalError as it is, all else INTERNAL without details. */
export function toShoalError(thrown: unknown): ShoalError {
  if (thrown instanceof ShoalError) return thrown;
  return new ShoalError('INTERNAL', 'internal error', { cause: thrown });
}
