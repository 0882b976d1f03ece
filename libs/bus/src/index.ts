export type * from './bus';
export { Instances, instanceSubject } from './instances';
export { type LocalBusOptions, createLocalBus } from './local-bus';
export * from './messages';
export { createNatsBus } from './nats/nats-bus';
export type { BusLog, NatsBusOptions, NatsTls } from './nats/settings';
export { standingVersion } from './standing-version';
export { type BlobStore, type StateEntry, type StateStore, maxBlobBytes } from './state';
