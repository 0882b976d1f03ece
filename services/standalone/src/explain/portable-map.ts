import type { Pixels } from './image-row';
import { wrong } from './wrong';

/** Beyond it a text header would be none. */
const maxSide = 65_536;

/**
 * A binary or textual PGM (grey) or PPM (colour): a header of numbers in ASCII, then the samples.
 * @throws ShoalError INVALID_ARGUMENT
 */
export function readPortableMap(bytes: Uint8Array, what: string): Pixels {
  const head = Buffer.from(bytes.subarray(0, 4096)).toString('latin1');
  // Numbers are apart by white space and comments; one white space ends the last.
  const gap = String.raw`(?:\s|#[^\n]*\n)+`;
  const match = new RegExp(`^P([2356])${gap}(\\d+)${gap}(\\d+)${gap}(\\d+)\\s`).exec(head);
  const [header = '', kind, width = 0, height = 0, most = 0] = match
    ? [match[0], match[1], Number(match[2]), Number(match[3]), Number(match[4])]
    : [];
  if (width < 1 || height < 1 || width > maxSide || height > maxSide || most < 1 || most > 65_535) {
    throw wrong(`${what} is no PGM or PPM: its header has no possible size`);
  }
  const channels = kind === '3' || kind === '6' ? 3 : 1;
  const count = width * height * channels;
  const body = bytes.subarray(header.length);
  const samples = kind === '2' || kind === '3' ? textSamples(body) : binarySamples(body, most > 255, count);
  if (samples.length < count) throw wrong(`${what} ends after ${samples.length} of ${count} samples`);
  const data = Uint8Array.from({ length: count }, (_, i) => Math.round(((samples[i] as number) / most) * 255));
  return { width, height, channels, data };
}

function textSamples(body: Uint8Array): readonly number[] {
  return Buffer.from(body).toString('latin1').trim().split(/\s+/).map(Number);
}

function binarySamples(body: Uint8Array, wide: boolean, count: number): ArrayLike<number> {
  if (!wide) return body;
  const whole = Math.min(count, Math.floor(body.length / 2));
  return Array.from({ length: whole }, (_, i) => ((body[2 * i] as number) << 8) | (body[2 * i + 1] as number));
}
