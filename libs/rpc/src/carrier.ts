/** What carries gRPC: our own HTTP/2 (`native`), or @grpc/grpc-js. Both behave alike to handlers, callers and peers. */
export const grpcCarriers = ['native', 'grpc-js'] as const;

export type GrpcCarrier = (typeof grpcCarriers)[number];

export const defaultCarrier: GrpcCarrier = 'native';
