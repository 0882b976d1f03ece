import { ShoalError } from '@shoal/core';
import { errorTexts } from '@shoal/protocol';

const int32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };

/** A refused setting. */
export function badSetting(text: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', text);
}

/**
 * The one value of an integer setting, read as C's stoi does: leading digits are enough.
 * @throws ShoalError INVALID_ARGUMENT in Triton's words.
 * @param range Its bounds, for the text; `least` is checked apart, with a text of its own.
 */
export function integerSetting(
  name: string,
  values: readonly string[],
  range: { readonly from: number; readonly to: number; readonly least?: number },
): number {
  const [text, second] = values;
  if (text === undefined || second !== undefined) throw badSetting(`expect only 1 value for '${name}'`);
  const digits = /^\s*([+-]?\d+)/.exec(text)?.[1];
  if (digits === undefined) throw badSetting(`Unable to parse '${name}', got: ${errorTexts.clip(text)}`);
  const value = Number(digits);
  if (value < int32.min || value > int32.max) {
    throw badSetting(
      `Unable to parse '${name}', value is out of range [ ${range.from}, ${range.to} ], got: ${errorTexts.clip(text)}`,
    );
  }
  if (range.least !== undefined && value < range.least) {
    throw badSetting(`Unable to parse '${name}'. Expecting value >= ${range.least}, got: ${errorTexts.clip(text)}`);
  }
  return value;
}
