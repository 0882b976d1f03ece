import type * as GrpcReflection from '@grpc/reflection';
import type * as CompleteDescriptors from './complete-descriptors';
import { loadPackage } from './load-service';
import type { RpcServer, StreamCall } from './server';

/** The one method of both versions of the reflection service, in the form that @grpc/reflection hands over. */
interface ReflectionHandlers {
  readonly ServerReflectionInfo: (stream: {
    on(event: 'data' | 'end', listener: (message?: unknown) => void): void;
    write(message: unknown): void;
    end(): void;
  }) => void;
}

/**
 * Adds grpc.reflection v1 and v1alpha, so that grpcurl and its like can list and describe what `protoFiles` (relative
 * to `proto/`) define. @grpc/reflection does the work; it only sees our server's `addService`.
 */
export function addReflection(server: RpcServer, protoFiles: readonly string[]): void {
  // Loaded here, for they take their time and most processes have no reflection.
  const { ReflectionService } = require('@grpc/reflection') as typeof GrpcReflection;
  const { completeDescriptors } = require('./complete-descriptors') as typeof CompleteDescriptors;
  const definitions = Object.assign({}, ...protoFiles.map((file) => loadPackage(file))) as ReturnType<
    typeof loadPackage
  >;
  new ReflectionService(completeDescriptors(definitions)).addToServer({
    addService(definition, implementation) {
      const { ServerReflectionInfo } = implementation as unknown as ReflectionHandlers;
      server.addService(definition, {
        ServerReflectionInfo(call: StreamCall<unknown, unknown>) {
          call.onDrain(() => call.resume());
          ServerReflectionInfo({
            on: (event, listener) => (event === 'data' ? call.onMessage(listener) : call.onEnd(listener)),
            write(message) {
              // Answers are a thousand times larger than questions: who does not read them may not ask on.
              if (!call.write(message)) call.pause();
            },
            end: () => call.end(),
          });
        },
      });
    },
  });
}
