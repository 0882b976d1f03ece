/** The seed of a text that goes before all others: FNV's offset basis. */
const offsetBasis = 0x811c9dc5;

/** FNV-1a over UTF-16 units: 32 bits, which `mixBits` spreads. */
export function hashText(text: string, seed = offsetBasis): number {
  let state = seed;
  for (let i = 0; i < text.length; i += 1) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state >>> 0;
}

/** Murmur3's finaliser: without it, texts that differ in their last letters only would have hashes that are near each other. */
export function mixBits(value: number): number {
  let state = value;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
