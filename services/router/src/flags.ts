import type { ConfigOf, FlagTable } from '@shoal/config';

/** What the router can be told. Names are Triton's where the meaning is the same. */
export const routerFlags = {
  allowGrpc: {
    name: 'allow-grpc',
    type: 'boolean',
    default: true,
    value: 'BOOL',
    help: 'Serves gRPC. Without it the router runs and listens nowhere.',
  },
  grpcPort: {
    name: 'grpc-port',
    type: 'integer',
    default: 8001,
    min: 0,
    max: 65_535,
    value: 'PORT',
    help: 'TCP port for gRPC; 0 = any free one.',
  },
  grpcAddress: {
    name: 'grpc-address',
    type: 'string',
    default: '127.0.0.1',
    value: 'ADDRESS',
    help: 'Address to listen at. The default accepts this machine only; 0.0.0.0 or :: accepts everybody that can reach it, without authentication.',
  },
  grpcMaxMessageBytes: {
    name: 'grpc-max-message-bytes',
    type: 'integer',
    default: 2 ** 31 - 1,
    min: 1024,
    max: 2 ** 31 - 1,
    value: 'BYTES',
    help: 'Largest request message; larger ones are refused RESOURCE_EXHAUSTED. Lower it where clients are not trusted with the memory.',
  },
  grpcKeepaliveTime: {
    name: 'grpc-keepalive-time',
    type: 'integer',
    default: 7_200_000,
    min: 1_000,
    max: 2 ** 31 - 1,
    value: 'MS',
    help: 'Pings a silent connection after so many milliseconds and drops it when no answer comes for as long again.',
  },
  strictReadiness: {
    name: 'strict-readiness',
    type: 'boolean',
    default: true,
    value: 'BOOL',
    help: 'The server is ready only while every model is ready; false: as soon as it answers calls.',
  },
  allowClientShm: {
    name: 'allow-client-shm',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Lets clients on this machine register shared memory of theirs (/dev/shm) for inputs and outputs. Any client may then read and write any region that the server may: for trusted clients only.',
  },
  maxInflightRequests: {
    name: 'max-inflight-requests',
    type: 'integer',
    default: 16_384,
    min: 1,
    max: 10_000_000,
    value: 'COUNT',
    help: 'Requests accepted and not yet answered; more are refused RESOURCE_EXHAUSTED.',
  },
  maxInflightBytes: {
    name: 'max-inflight-bytes',
    type: 'integer',
    default: 0,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    value: 'BYTES',
    help: 'Bytes of requests accepted and not yet answered; more are refused RESOURCE_EXHAUSTED. 0 = a quarter of the memory that this process may use.',
  },
  maxStreamRequests: {
    name: 'max-stream-requests',
    type: 'integer',
    default: 1_024,
    min: 1,
    max: 1_000_000,
    value: 'COUNT',
    help: 'Requests of one ModelStreamInfer stream that are read ahead of their answers; then the client is held back.',
  },
  maxStreamBytes: {
    name: 'max-stream-bytes',
    type: 'integer',
    default: 64 * 1024 ** 2,
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    value: 'BYTES',
    help: 'Bytes of requests and unsent answers of one ModelStreamInfer stream above which the client is held back.',
  },
} as const satisfies FlagTable;

/** The values of `routerFlags`. */
export type RouterConfig = ConfigOf<typeof routerFlags>;
