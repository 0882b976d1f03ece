export type * from './bus';
export { type LocalBusOptions, createLocalBus } from './local-bus';
export * from './messages';
