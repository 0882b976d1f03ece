export const expiryExpected = 'a date as 2027-01-31 (from its beginning, UTC) or 2027-01-31T12:00:00Z';

/** Epoch ms of a date, or of a time with its zone; undefined for what is neither. */
export function expiryOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text)) return undefined;
  const day = text.slice(0, 10);
  const midnight = new Date(`${day}T00:00:00Z`);
  // There are parsers that take the 31st of February for the 3rd of March.
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== day) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
