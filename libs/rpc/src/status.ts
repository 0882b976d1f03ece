import { type ErrorCode, ShoalError, statusNumbers } from '@shoal/core';

/**
 * Longest status message, in bytes once percent-encoded. C-core clients (Python, C++) refuse a response whose headers
 * and trailers exceed 8 KiB, which would hide the very text; half of that leaves room for the rest.
 */
const maxEncodedMessage = 4096;

const codes = new Map<number, ErrorCode>(Object.entries(statusNumbers).map(([name, n]) => [n, name as ErrorCode]));

/** The status that a peer sent, as our error. */
export function errorFromStatus(code: number, details: string): ShoalError {
  return new ShoalError(codes.get(code) ?? 'UNKNOWN', details);
}

/** A message that can travel in `grpc-message`: well-formed Unicode, short enough for every client. */
export function statusMessage(message: string): string {
  // UTF-8 there and back replaces lone surrogates, which percent-encoding rejects by throwing.
  const wellFormed = Buffer.from(message).toString();
  if (encodedLength(wellFormed) <= maxEncodedMessage) return wellFormed;
  let room = maxEncodedMessage - encodedLength('…');
  let kept = '';
  for (const character of wellFormed) {
    room -= encodedLength(character);
    if (room < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

function encodedLength(text: string): number {
  return encodeURIComponent(text).length;
}
