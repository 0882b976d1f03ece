export type * from './link';
export type * from './messages';
export { type TransportOptions, createTransport } from './transport';
