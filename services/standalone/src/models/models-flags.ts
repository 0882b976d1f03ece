import type { FlagTable } from '@shoal/config';
import { controlFlags } from '../client/control-client';

/** How `shoal load`, `unload` and `reload` reach a server: loading may take long. */
export const changeFlags = {
  ...controlFlags,
  timeoutSecs: {
    ...controlFlags.timeoutSecs,
    default: 600,
    help: 'How long it may take, all workers together. What was asked for stands, whether or not this command waits.',
  },
} as const satisfies FlagTable;

/** What `shoal load` may say of where. */
export const replicasFlags = {
  replicas: {
    name: 'replicas',
    type: 'string',
    default: '',
    value: 'N|all',
    help: 'How many workers serve it. Empty: as before, else as its config says ("replicas"), else all that can.',
  },
} as const satisfies FlagTable;
