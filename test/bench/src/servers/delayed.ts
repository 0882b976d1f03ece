import { systemClock } from '@shoal/core';
import { type MethodDefinition, createServer, defaultCarrier, loadService } from '@shoal/rpc';

/*
 * A server of the V2 protocol whose answers take a known time: 5 ms, and every twentieth 50 ms. What a load generator
 * says of it can be checked: p50 is 5 ms and a little, p99 50 ms and a little.
 */

const definition = loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService');
const { responseSerialize } = definition['ModelInfer'] as MethodDefinition<object, object>;
const answer = responseSerialize({
  model_name: 'delayed',
  model_version: '1',
  outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1] }],
  raw_output_contents: [Buffer.alloc(4)],
});
const tensor = (name: string) => ({ name, datatype: 'FP32', shape: [-1, 1] });

async function main(): Promise<void> {
  let count = 0;
  const server = createServer({ clock: systemClock, carrier: defaultCarrier });
  server.addService(
    definition,
    {
      ModelMetadata: () => ({ name: 'delayed', versions: ['1'], inputs: [tensor('x')], outputs: [tensor('y')] }),
      ModelConfig: () => ({ config: { name: 'delayed', max_batch_size: 1 } }),
      ModelInfer() {
        count += 1;
        const ms = count % 20 === 0 ? 50 : 5;
        return new Promise((resolve) => setTimeout(() => resolve(answer), ms));
      },
    },
    { passthrough: ['ModelInfer'] },
  );
  process.stdout.write(`serving at 127.0.0.1:${await server.listen('127.0.0.1:0')}\n`);
}

process.once('SIGTERM', () => process.exit(0));
void main();
