import type { ConfigOf, FlagTable } from '@shoal/config';

/** What `shoal traffic MODEL` changes; what is not given stays as it is. */
export const trafficFlags = {
  stable: {
    name: 'stable',
    type: 'string',
    default: '',
    value: 'VERSION',
    help: 'The version that answers; "latest" = the highest that is ready.',
  },
  canary: {
    name: 'canary',
    type: 'string',
    default: '',
    value: 'VERSION',
    help: 'Gives a share of the requests to this version.',
  },
  percent: {
    name: 'percent',
    type: 'string',
    default: '',
    value: 'PERCENT',
    help: 'Which share of them, 0 to 100.',
  },
  header: {
    name: 'header',
    type: 'strings',
    default: [],
    value: 'NAME=VALUE',
    help: 'Requests with this header go to the canary in any case; several times: with any of the values; NAME alone: whatever it says.',
  },
  sticky: {
    name: 'sticky',
    type: 'string',
    default: '',
    value: 'NAME',
    help: 'A header whose value decides in place of chance, so that one user stays on one side.',
  },
  noCanary: {
    name: 'no-canary',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Ends the canary: all goes to the stable version.',
  },
  shadow: {
    name: 'shadow',
    type: 'string',
    default: '',
    value: 'VERSION',
    help: 'Gives copies of requests to this version, and compares its answers.',
  },
  shadowPercent: {
    name: 'shadow-percent',
    type: 'string',
    default: '',
    value: 'PERCENT',
    help: 'Of which share of the requests; without it, of all.',
  },
  absoluteTolerance: {
    name: 'absolute-tolerance',
    type: 'string',
    default: '',
    value: 'NUMBER',
    help: 'How far floating-point elements may be apart and count as equal; without one, the bytes must be the same.',
  },
  relativeTolerance: {
    name: 'relative-tolerance',
    type: 'string',
    default: '',
    value: 'NUMBER',
    help: 'The same, times the element that the client got; both add up.',
  },
  noShadow: { name: 'no-shadow', type: 'boolean', default: false, value: 'BOOL', help: 'Ends the shadow.' },
  clear: {
    name: 'clear',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Forgets all rules of the model, and what a rollback would go back to.',
  },
} as const satisfies FlagTable;

export type TrafficOptions = ConfigOf<typeof trafficFlags>;
