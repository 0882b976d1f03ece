export type * from './bus';
export { type LocalBusOptions, createLocalBus } from './local-bus';
export { Instances, instanceSubject } from './instances';
export * from './messages';
export { standingVersion } from './standing-version';
