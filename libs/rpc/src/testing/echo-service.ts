import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

type Text = MethodDefinition<string, string>;

/** A service of all four kinds of call, for tests; its messages are UTF-8 texts, and `!` cannot be decoded. */
export const echoService = {
  Unary: method('Unary', false, false),
  Upload: method('Upload', true, false),
  Download: method('Download', false, true),
  Chat: method('Chat', true, true),
} satisfies ServiceDefinition;

function method(name: string, requestStream: boolean, responseStream: boolean): Text {
  return {
    path: `/test.Echo/${name}`,
    originalName: name,
    requestStream,
    responseStream,
    requestSerialize: (text) => Buffer.from(text),
    requestDeserialize(bytes) {
      const text = bytes.toString();
      if (text === '!') throw new Error('an exclamation mark is no message');
      return text;
    },
    responseSerialize: (text) => Buffer.from(text),
    responseDeserialize: (bytes) => bytes.toString(),
  };
}
