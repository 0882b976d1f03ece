import type { FlagTable } from '@shoal/config';
import { explainFlags } from '@shoal/explainability';

/** Of `shoal serve`, which has the service in its process. */
export const serveExplainFlags = {
  explain: {
    name: 'explain',
    type: 'boolean',
    default: true,
    value: 'BOOL',
    help: 'Explains predictions (shoal.explain.v1).',
  },
  ...explainFlags,
} as const satisfies FlagTable;
