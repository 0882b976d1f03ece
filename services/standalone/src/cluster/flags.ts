import { batchingFlags } from '@shoal/batching';
import type { ConfigOf, FlagTable } from '@shoal/config';
import { modelWorkerFlags } from '@shoal/model-worker';
import { routerFlags } from '@shoal/router';
import { processFlags } from '../flags';

/** What each process of a cluster is told. */
export const clusterFlags = {
  nats: {
    name: 'nats',
    type: 'strings',
    default: [],
    value: 'URL',
    help: 'NATS server through which the services find each other, as nats://HOST:4222. May be given several times, or as a list with commas.',
  },
  id: {
    name: 'id',
    type: 'string',
    default: '',
    value: 'NAME',
    help: 'Name of this process, which no other of the cluster may have. Empty: made from host, process and chance.',
  },
} as const satisfies FlagTable;

/** What those are told that accept links. */
export const linkFlags = {
  allowOpenLinks: {
    name: 'allow-open-links',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Accepts links at an address that other machines can reach. They are neither encrypted nor authenticated: whoever reaches them can have models run. For networks of the cluster’s own.',
  },
} as const satisfies FlagTable;

const linkAddressFlag = {
  linkAddress: {
    name: 'link-address',
    type: 'string',
    default: '127.0.0.1:0',
    value: 'HOST:PORT',
    help: 'Where routers reach this process; port 0 = any free one. It is announced as it is: other machines need an address of this one, not 0.0.0.0.',
  },
} as const satisfies FlagTable;

export const routerProcessFlags = {
  ...routerFlags,
  strictReadiness: {
    ...routerFlags.strictReadiness,
    help: 'The router is ready only while it has a link to batching and at least one model serves, or none is missing; false: as soon as it answers calls.',
  },
  ...clusterFlags,
  ...processFlags,
} as const;
export const batchingProcessFlags = {
  ...batchingFlags,
  ...linkAddressFlag,
  ...linkFlags,
  ...clusterFlags,
  ...processFlags,
} as const;
export const workerProcessFlags = {
  ...modelWorkerFlags,
  runnerHost: {
    ...modelWorkerFlags.runnerHost,
    default: '127.0.0.1',
    help: 'Address of this machine at which runners accept links, each at a port of its own. It is announced as it is.',
  },
  ...linkFlags,
  ...clusterFlags,
  ...processFlags,
} as const;

export { linkAddressFlag };

export type RouterProcessConfig = ConfigOf<typeof routerProcessFlags>;
export type BatchingProcessConfig = ConfigOf<typeof batchingProcessFlags>;
export type WorkerProcessConfig = ConfigOf<typeof workerProcessFlags>;
/** What all of them are told. */
export type ClusterConfig = ConfigOf<typeof clusterFlags> & ConfigOf<typeof processFlags>;
