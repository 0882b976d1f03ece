export type * from './bus';
export * from './messages';
