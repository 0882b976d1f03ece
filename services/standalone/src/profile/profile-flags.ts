import { type ConfigOf, type FlagTable } from '@shoal/config';
import { credentialFlags, dataFlags, targetFlags } from '@shoal/load';

const { url, modelVersion, carrier } = targetFlags;
const { shape, inputData, seed } = dataFlags;

/** Who is measured. */
export const profiledFlags = { url, modelVersion, carrier, ...credentialFlags } as const;

/** What the requests hold. */
export const profileDataFlags = { shape, inputData, seed } as const;

/** How it is measured. */
export const measuringFlags = {
  sizes: {
    name: 'sizes',
    type: 'string',
    default: '',
    value: 'B1,B2,…',
    help: 'Batch sizes to measure. Without any: 1, 2, 4, … and the model’s largest.',
  },
  windowMs: {
    name: 'window-ms',
    type: 'integer',
    default: 1000,
    min: 10,
    max: 3_600_000,
    value: 'MS',
    help: 'How long each size is measured in each round.',
  },
  warmupMs: {
    name: 'warmup-ms',
    type: 'integer',
    default: 300,
    min: 0,
    max: 3_600_000,
    value: 'MS',
    help: 'Before each of these.',
  },
  rounds: {
    name: 'rounds',
    type: 'integer',
    default: 3,
    min: 1,
    max: 1000,
    value: 'N',
    help: 'All sizes are measured so many times, and of each the median round counts: what else the machine does now and then is left out so.',
  },
  out: {
    name: 'out',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'Writes the profile into this file; without one, to stdout.',
  },
  progress: {
    name: 'progress',
    type: 'boolean',
    default: true,
    value: 'BOOL',
    help: 'A bar on stderr, where that is a terminal.',
  },
} as const satisfies FlagTable;

/** Everything `shoal profile MODEL` can be told. */
export const profileFlags = { ...profiledFlags, ...profileDataFlags, ...measuringFlags } as const;

export type ProfileConfig = ConfigOf<typeof profileFlags>;
