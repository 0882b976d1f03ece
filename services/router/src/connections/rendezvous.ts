import { rendezvousWeight } from '@shoal/core';

/**
 * The instance that owns `key`: highest random weight over the live ones, so that every router picks the same one, and
 * an instance that comes or goes moves only the keys that it gains or loses. Undefined when there is none.
 */
export function rendezvousOwner(key: string, instances: Iterable<string>): string | undefined {
  let owner: string | undefined;
  let best = -1;
  for (const instance of instances) {
    const weight = rendezvousWeight(key, instance);
    if (weight > best || (weight === best && owner !== undefined && instance < owner)) {
      best = weight;
      owner = instance;
    }
  }
  return owner;
}
