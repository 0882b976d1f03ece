/** Error codes of RST_STREAM and GOAWAY (RFC 9113 §7). */
export const errorCodes = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;

export type ErrorCodeName = keyof typeof errorCodes;

/** The name of an error code for logs and messages; unknown codes are treated as INTERNAL_ERROR (RFC 9113 §7). */
export function errorCodeName(code: number): ErrorCodeName {
  const found = Object.entries(errorCodes).find(([, number]) => number === code);
  return (found?.[0] ?? 'INTERNAL_ERROR') as ErrorCodeName;
}

/**
 * A connection error (RFC 9113 §5.4.1): thrown while input is read, caught where the read began, answered with GOAWAY.
 * It never leaves this room; users learn of it as the reason of a closed connection.
 */
export class ConnectionFault extends Error {
  readonly code: ErrorCodeName;

  constructor(code: ErrorCodeName, why: string) {
    super(why);
    this.name = 'ConnectionFault';
    this.code = code;
  }
}
