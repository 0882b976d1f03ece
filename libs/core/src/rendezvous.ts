import { hashText, mixBits } from './hash';

/**
 * How much `instance` is drawn to `key`, 0 to 2^32-1: rendezvous hashing gives a key to those with the highest weights, so that
 * everybody picks the same ones, and an instance that comes or goes moves only the keys that it gains or loses.
 */
export function rendezvousWeight(key: string, instance: string): number {
  return mixBits(hashText(key, hashText(instance)));
}
