/**
 * The instance that owns `key`: highest random weight over the live ones, so that every router picks the same one, and
 * an instance that comes or goes moves only the keys that it gains or loses. Undefined when there is none.
 */
export function rendezvousOwner(key: string, instances: Iterable<string>): string | undefined {
  let owner: string | undefined;
  let best = -1;
  for (const instance of instances) {
    const weight = mix(hash(key, hash(instance, 0x811c9dc5)));
    if (weight > best || (weight === best && owner !== undefined && instance < owner)) {
      best = weight;
      owner = instance;
    }
  }
  return owner;
}

/** FNV-1a over UTF-16 units: 32 bits. */
function hash(text: string, seed: number): number {
  let state = seed;
  for (let i = 0; i < text.length; i += 1) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state >>> 0;
}

/** Murmur3's finaliser: without it, keys that differ in their last letters would all favour one instance. */
function mix(value: number): number {
  let state = value;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
