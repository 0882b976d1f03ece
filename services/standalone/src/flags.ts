import { batchingFlags } from '@shoal/batching';
import type { ConfigOf, FlagTable } from '@shoal/config';
import { modelWorkerFlags } from '@shoal/model-worker';
import { routerFlags } from '@shoal/router';
import { tracingFlags } from './tracing/flags';
import { metricsFlags } from './metrics/flags';
import { serveExplainFlags } from './explain-flags';

/** What concerns the process as a whole, whichever services it holds. */
export const processFlags = {
  exitTimeoutSecs: {
    name: 'exit-timeout-secs',
    type: 'number',
    default: 30,
    min: 0,
    max: 86_400,
    value: 'SECONDS',
    help: 'How long accepted requests may take to finish after SIGTERM or Ctrl-C; a second signal ends at once.',
  },
  healthAddress: {
    name: 'health-address',
    type: 'string',
    default: '',
    value: 'HOST:PORT',
    help: 'Serves grpc.health.v1, and nothing else, at a port of its own, without TLS and authentication, as Kubernetes’ probes need it. Port 0 = any free one. Empty: nowhere.',
  },
  exitOnError: {
    name: 'exit-on-error',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Ends the server when a model cannot be loaded at start. Off, unlike in Triton: a broken model does not hinder the others.',
  },
  logInfo: {
    name: 'log-info',
    type: 'boolean',
    default: true,
    value: 'BOOL',
    help: 'Logs informational lines.',
  },
  logWarning: { name: 'log-warning', type: 'boolean', default: true, value: 'BOOL', help: 'Logs warnings.' },
  logError: { name: 'log-error', type: 'boolean', default: true, value: 'BOOL', help: 'Logs errors.' },
  logVerbose: {
    name: 'log-verbose',
    type: 'integer',
    default: 0,
    min: 0,
    max: 10,
    value: 'LEVEL',
    help: 'Detail of the verbose log; 0 = none, 1 = also each refused request, 2 = also each request.',
  },
  logRequests: {
    name: 'log-requests',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Logs one line for each request: model, version, status, ms, rows, ids, tenant and trace, never contents. A verbose level of 2, which the LogSettings RPC can set, does it as well.',
  },
  logFormat: {
    name: 'log-format',
    type: 'string',
    default: 'default',
    choices: ['default', 'text', 'json', 'ISO8601'],
    value: 'FORMAT',
    help: 'How the log, which goes to stderr, is written. default: text on a terminal, else json, one object a line. Times are ISO 8601 in any case, so ISO8601, known from Triton, means default.',
  },
} as const satisfies FlagTable;

/** Everything `shoal serve` can be told. */
export const serveFlags = {
  ...modelWorkerFlags,
  ...routerFlags,
  ...batchingFlags,
  ...serveExplainFlags,
  ...metricsFlags,
  ...tracingFlags,
  ...processFlags,
} as const;

export type ServeConfig = ConfigOf<typeof serveFlags>;
