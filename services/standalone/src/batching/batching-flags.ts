import type { FlagTable } from '@shoal/config';

/** What `shoal why` can be told. */
export const whyFlags = {
  limit: {
    name: 'limit',
    type: 'integer',
    default: 1,
    min: 1,
    max: 100,
    value: 'COUNT',
    help: 'The newest so many of the requests with this id: a client may use one again.',
  },
  json: {
    name: 'json',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'For programs.',
  },
} as const satisfies FlagTable;

/** What `shoal top` can be told. */
export const topFlags = {
  intervalSecs: {
    name: 'interval-secs',
    type: 'number',
    default: 2,
    min: 0.1,
    max: 3600,
    value: 'SECONDS',
    help: 'Between two looks; rates are of the time between.',
  },
  count: {
    name: 'count',
    type: 'integer',
    default: 0,
    min: 0,
    max: 1_000_000,
    value: 'COUNT',
    help: 'Ends after so many. 0 = until it is interrupted, or one where stdout is no terminal.',
  },
} as const satisfies FlagTable;
