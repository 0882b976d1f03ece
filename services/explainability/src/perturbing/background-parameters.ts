import type { InferParameters } from '@shoal/protocol';

/** Of requests that yield to others: the router and batching let plain inference go first. */
export const backgroundParameters: InferParameters = new Map([['shoal.background', { kind: 'bool', value: true }]]);
