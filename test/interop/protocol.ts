import type { MethodDefinition } from '@grpc/grpc-js';
import { loadService } from '@shoal/rpc';

/*
 * grpc.testing.TestService, the service of gRPC's interoperability tests, as proto-loader loads it: absent messages are null
 * when received and left out when sent.
 */

export interface Flag {
  readonly value: boolean;
}

export interface Payload {
  readonly type?: 'COMPRESSABLE';
  readonly body: Buffer;
}

export interface EchoStatus {
  readonly code: number;
  readonly message: string;
}

export interface SimpleRequest {
  readonly response_size?: number;
  readonly payload?: Payload | null;
  readonly response_compressed?: Flag | null;
  readonly response_status?: EchoStatus | null;
  readonly expect_compressed?: Flag | null;
  readonly fill_server_id?: boolean;
}

export interface SimpleResponse {
  readonly payload?: Payload | null;
  readonly server_id?: string;
}

export interface InputRequest {
  readonly payload?: Payload | null;
  readonly expect_compressed?: Flag | null;
}

export interface InputResponse {
  readonly aggregated_payload_size: number;
}

export interface ResponseParameters {
  readonly size: number;
  readonly interval_us?: number;
  readonly compressed?: Flag | null;
}

export interface OutputRequest {
  readonly response_parameters?: readonly ResponseParameters[];
  readonly payload?: Payload | null;
  readonly response_status?: EchoStatus | null;
}

export interface OutputResponse {
  readonly payload?: Payload | null;
}

export type Empty = Readonly<Record<string, never>>;

export const testProto = 'grpc/testing/test.proto';

/** As the server adds it. */
export const serviceDefinition = loadService(testProto, 'grpc.testing.TestService');

/** As clients call it. */
export const TestService = serviceDefinition as unknown as {
  readonly EmptyCall: MethodDefinition<Empty, Empty>;
  readonly UnaryCall: MethodDefinition<SimpleRequest, SimpleResponse>;
  readonly StreamingOutputCall: MethodDefinition<OutputRequest, OutputResponse>;
  readonly StreamingInputCall: MethodDefinition<InputRequest, InputResponse>;
  readonly FullDuplexCall: MethodDefinition<OutputRequest, OutputResponse>;
  readonly UnimplementedCall: MethodDefinition<Empty, Empty>;
};

export const UnimplementedService = loadService(testProto, 'grpc.testing.UnimplementedService') as unknown as {
  readonly UnimplementedCall: MethodDefinition<Empty, Empty>;
};

/** Metadata that the service sends back, in its headers and in its trailers. */
export const echoInitial = 'x-grpc-test-echo-initial';
export const echoTrailing = 'x-grpc-test-echo-trailing-bin';

/** `size` zeros. */
export function payload(size: number): Payload {
  return { type: 'COMPRESSABLE', body: Buffer.alloc(size) };
}
