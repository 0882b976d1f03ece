import { systemClock } from '@shoal/core';
import { type GrpcCarrier, type StreamCall, type CallContext, createServer } from '@shoal/rpc';
import { echoService, sinkAnswer } from '../echo-service';

/* An echo server on the carrier named by the first argument. */

async function main(): Promise<void> {
  const server = createServer({ clock: systemClock, carrier: process.argv[2] as GrpcCarrier });
  server.addService(
    echoService,
    {
      Unary: (request: Buffer) => request,
      Sink(request: Buffer, call: CallContext) {
        call.recycle(request);
        return sinkAnswer;
      },
      Bidi(call: StreamCall<Buffer, Buffer>) {
        call.onMessage((message) => call.write(message));
        call.onEnd(() => call.end());
      },
    },
    { passthrough: ['Unary', 'Sink', 'Bidi'] },
  );
  const port = await server.listen('127.0.0.1:0');
  process.stdout.write(`serving at 127.0.0.1:${port}\n`);
}

process.once('SIGTERM', () => process.exit(0));
void main();
