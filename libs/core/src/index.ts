export type {} from './buffer-types';

export { type CancelTimer, type Clock, sleep, systemClock } from './clock';
export { type ErrorCode, ShoalError, httpStatus, statusNumbers, toShoalError } from './errors';
export { Lifecycle, type LifecycleState } from './lifecycle';
export { type Random, seededRandom, systemRandom } from './random';
