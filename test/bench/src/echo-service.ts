import type { MethodDefinition, ServiceDefinition } from '@shoal/rpc';

type Raw = MethodDefinition<Buffer, Buffer>;

/** Bytes in, bytes out: what is left is the wire's own cost. */
export const echoService = {
  /** Answers with the request. */
  Unary: method('Unary', false),
  /** Answers with 4 KB, whatever comes. */
  Sink: method('Sink', false),
  /** Answers each message with itself. */
  Bidi: method('Bidi', true),
} satisfies ServiceDefinition;

/** What `Sink` answers. */
export const sinkAnswer = Buffer.alloc(4096, 7);

function method(name: string, stream: boolean): Raw {
  const same = (bytes: Buffer) => bytes;
  return {
    path: `/bench.Echo/${name}`,
    originalName: name,
    requestStream: stream,
    responseStream: stream,
    ...{ requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same },
  };
}
