import { batchingFlags } from '@shoal/batching';
import type { ConfigOf, FlagTable } from '@shoal/config';
import { explainFlags } from '@shoal/explainability';
import { modelWorkerFlags } from '@shoal/model-worker';
import { routerFlags } from '@shoal/router';
import { processFlags } from '../flags';
import { type MetricsConfig, clusterMetricsFlags } from '../metrics/flags';
import { type TracingConfig, tracingFlags } from '../tracing/flags';

const linkTlsFlags = {
  linkCert: {
    name: 'link-cert',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'Certificate of this process for links to the others, in PEM. With --link-key and --link-ca, on every process of the cluster, links are mutual TLS. The files are followed: when they are replaced, new links use what is new.',
  },
  linkKey: {
    name: 'link-key',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'Its private key, in PEM, without a passphrase.',
  },
  linkCa: {
    name: 'link-ca',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'The authorities that certificates of the cluster come from, in PEM.',
  },
  linkName: {
    name: 'link-name',
    type: 'string',
    default: 'shoal-link',
    value: 'NAME',
    help: 'DNS name that each certificate of the cluster must hold, whatever the address of its process: who has such a certificate is a member.',
  },
} as const satisfies FlagTable;

const natsTlsFlags = {
  natsCa: {
    name: 'nats-ca',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'The authorities that the NATS servers’ certificates come from, in PEM; the connection is then TLS.',
  },
  natsCert: {
    name: 'nats-cert',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'Certificate of this process for NATS servers that demand one (verify: true), in PEM.',
  },
  natsKey: {
    name: 'nats-key',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'Its private key, in PEM, without a passphrase.',
  },
  natsCreds: {
    name: 'nats-creds',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'Credentials (user JWT and seed) of an account, as nsc writes them. A user and a password go into the URL: better into SHOAL_NATS than into an argument, which others can read.',
  },
  natsReplicas: {
    name: 'nats-replicas',
    type: 'integer',
    default: 1,
    min: 1,
    max: 5,
    value: 'COUNT',
    help: 'Copies that a NATS cluster keeps of what the services store there: 1, 3 or 5, and no more than it has servers. The same for all processes.',
  },
} as const satisfies FlagTable;

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
  ...natsTlsFlags,
  ...linkTlsFlags,
} as const satisfies FlagTable;

/** What those are told that accept links. */
export const linkFlags = {
  allowOpenLinks: {
    name: 'allow-open-links',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Accepts links at an address that other machines can reach though there is no --link-cert: they are neither encrypted nor authenticated, and whoever reaches them can have models run. For networks of the cluster’s own.',
  },
} as const satisfies FlagTable;

const linkAddressFlag = {
  linkAddress: {
    name: 'link-address',
    type: 'string',
    default: '127.0.0.1:0',
    value: 'HOST:PORT',
    help: 'Where routers reach this process; port 0 = any free one. It is announced as it is: other machines need an address of this one, not 0.0.0.0; the host auto is the first that it has.',
  },
} as const satisfies FlagTable;

export const routerProcessFlags = {
  ...routerFlags,
  strictReadiness: {
    ...routerFlags.strictReadiness,
    help: 'The router is ready only while it has a link to batching and at least one model serves, or none is missing; false: as soon as it answers calls.',
  },
  ...clusterFlags,
  ...clusterMetricsFlags,
  ...tracingFlags,
  ...processFlags,
} as const;
export const batchingProcessFlags = {
  ...batchingFlags,
  ...linkAddressFlag,
  ...linkFlags,
  ...clusterFlags,
  ...clusterMetricsFlags,
  ...tracingFlags,
  ...processFlags,
} as const;
export const workerProcessFlags = {
  ...modelWorkerFlags,
  runnerHost: {
    ...modelWorkerFlags.runnerHost,
    default: '127.0.0.1',
    help: 'Address of this machine at which runners accept links, each at a port of its own. It is announced as it is; auto is the first address that others can reach.',
  },
  ...linkFlags,
  ...clusterFlags,
  ...clusterMetricsFlags,
  ...tracingFlags,
  ...processFlags,
} as const;

/** How the routers' public ports are reached by members of the cluster. */
export const routerAccessFlags = {
  routerUrl: {
    name: 'router-url',
    type: 'strings',
    default: [],
    value: 'HOST:PORT',
    help: 'Routers that are asked for predictions, in place of those that the cluster announces. May be given several times.',
  },
  routerTls: {
    name: 'router-tls',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Those of --router-url are reached over TLS.',
  },
  routerCa: {
    name: 'router-ca',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'The authorities that routers’ certificates (--grpc-server-cert) must come from, in PEM. Empty: those of the system.',
  },
  routerName: {
    name: 'router-name',
    type: 'string',
    default: '',
    value: 'NAME',
    help: 'The name that routers’ certificates must hold. Empty: the host of each.',
  },
  routerCert: {
    name: 'router-cert',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'A certificate of this process for routers that demand one (--grpc-use-ssl-mutual), in PEM.',
  },
  routerKey: {
    name: 'router-key',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'Its private key, in PEM, without a passphrase.',
  },
} as const satisfies FlagTable;

export const explainProcessFlags = {
  ...explainFlags,
  ...routerAccessFlags,
  ...linkAddressFlag,
  ...linkFlags,
  ...clusterFlags,
  ...clusterMetricsFlags,
  ...tracingFlags,
  ...processFlags,
} as const;

export { linkAddressFlag };

export type ExplainProcessConfig = ConfigOf<typeof explainProcessFlags>;

export type RouterProcessConfig = ConfigOf<typeof routerProcessFlags>;
export type BatchingProcessConfig = ConfigOf<typeof batchingProcessFlags>;
export type WorkerProcessConfig = ConfigOf<typeof workerProcessFlags>;
/** What all of them are told. */
export type ClusterConfig = ConfigOf<typeof clusterFlags> &
  ConfigOf<typeof processFlags> &
  MetricsConfig &
  TracingConfig;
