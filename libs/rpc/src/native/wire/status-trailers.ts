import { type ErrorCode, ShoalError, statusNumbers } from '@shoal/core';
import { type HeaderBlock, PreparedHeaders, errorCodes } from '@shoal/http2';
import { errorFromStatus, statusMessage } from '../../status';

export const okTrailers: PreparedHeaders = new PreparedHeaders(['grpc-status', '0']);

const prepared = new Map<ErrorCode, PreparedHeaders>();

/** `grpc-status` of a failure. */
export function failureTrailers(code: ErrorCode): PreparedHeaders {
  let trailers = prepared.get(code);
  if (trailers === undefined) {
    trailers = new PreparedHeaders(['grpc-status', String(statusNumbers[code])]);
    prepared.set(code, trailers);
  }
  return trailers;
}

/** All but printable ASCII, the percent sign and, since HTTP drops them, blanks at the ends. */
const toEscape = /[^\x20-\x24\x26-\x7e]+|^ +| +$/gu;

/** A status message as `grpc-message` carries it: shortened to what clients accept, then percent-encoded (UTF-8). */
export function encodeStatusMessage(message: string): string {
  return statusMessage(message).replace(toEscape, (part) => {
    let escaped = '';
    for (const byte of Buffer.from(part)) escaped += `%${(byte < 16 ? '0' : '') + byte.toString(16).toUpperCase()}`;
    return escaped;
  });
}

/** The reverse; what is no percent-encoding stands for itself, as the specification demands of receivers. */
export function decodeStatusMessage(encoded: string): string {
  if (!encoded.includes('%')) return Buffer.from(encoded, 'latin1').toString();
  const bytes = encoded.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}

/** HTTP status of a response without `grpc-status` (gRPC's doc/http-grpc-status-mapping.md). */
const byHttpStatus = new Map<number, ErrorCode>([
  [400, 'INTERNAL'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'UNIMPLEMENTED'],
  [429, 'UNAVAILABLE'],
  [502, 'UNAVAILABLE'],
  [503, 'UNAVAILABLE'],
  [504, 'UNAVAILABLE'],
]);

/** What a response that is no gRPC means. */
export function errorFromHttpStatus(status: number): ShoalError {
  return new ShoalError(byHttpStatus.get(status) ?? 'UNKNOWN', `Received HTTP status code ${status}`);
}

/** The status in trailers, or in the headers of a response that is nothing else: undefined for OK. */
export function errorFromTrailers(block: HeaderBlock): ShoalError | undefined {
  const status = block.get('grpc-status');
  if (status === '0') return undefined;
  if (status === undefined) return new ShoalError('UNKNOWN', 'the server sent no status');
  const message = decodeStatusMessage(block.get('grpc-message') ?? '');
  return errorFromStatus(/^\d{1,9}$/.test(status) ? Number(status) : statusNumbers.UNKNOWN, message);
}

/** RST_STREAM's error code (gRPC over HTTP/2, "Errors") instead of a status. */
export function errorFromReset(code: number): ShoalError {
  switch (code) {
    case errorCodes.REFUSED_STREAM:
      return new ShoalError('UNAVAILABLE', 'the server refused the call');
    case errorCodes.CANCEL:
      return new ShoalError('CANCELLED', 'the call was cancelled by the server');
    case errorCodes.ENHANCE_YOUR_CALM:
      return new ShoalError('RESOURCE_EXHAUSTED', 'the server asked for fewer bytes or calls');
    case errorCodes.INADEQUATE_SECURITY:
      return new ShoalError('PERMISSION_DENIED', 'the server asked for a more secure connection');
    default:
      return new ShoalError('INTERNAL', `the server broke off the call (HTTP/2 error ${code})`);
  }
}
