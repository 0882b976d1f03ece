export type {} from './buffer-types';

export { type Arrivals, constantArrivals, poissonArrivals } from './arrivals';
export { type CancelTimer, type Clock, sleep, systemClock } from './clock';
export { type ErrorCode, ShoalError, statusNumbers, toShoalError } from './errors';
export { hashText, mixBits } from './hash';
export { IdTable } from './id-table';
export { type HeapItem, IndexedHeap } from './indexed-heap';
export { Lifecycle, type LifecycleState } from './lifecycle';
export { type Random, seededRandom, systemRandom } from './random';
export { rendezvousWeight } from './rendezvous';
