export type * from './data-type';
