export type * from './client';
export type * from './server';
