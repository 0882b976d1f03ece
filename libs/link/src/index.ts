export type * from './messages';
export type * from './link';
