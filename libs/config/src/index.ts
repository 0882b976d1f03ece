export type * from './flag';
