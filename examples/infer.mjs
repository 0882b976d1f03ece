// Adds and subtracts two vectors with a plain gRPC client: node examples/infer.mjs [HOST:PORT]
// A server that asks for a key finds it in the environment: SHOAL_API_KEY=… node examples/infer.mjs
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const address = process.argv[2] ?? '127.0.0.1:8001';
const proto = fileURLToPath(new URL('../proto', import.meta.url));
const loaded = loadSync('inference/grpc_service.proto', { includeDirs: [proto], keepCase: true, longs: Number });
const { GRPCInferenceService } = grpc.loadPackageDefinition(loaded).inference;
const client = new GRPCInferenceService(address, grpc.credentials.createInsecure());

const vector = (values) => Buffer.from(Int32Array.from(values).buffer);
const request = {
  model_name: 'simple',
  inputs: ['INPUT0', 'INPUT1'].map((name) => ({ name, datatype: 'INT32', shape: [1, 16] })),
  raw_input_contents: [vector(Array.from({ length: 16 }, (_, i) => i)), vector(Array(16).fill(1))],
};
const metadata = new grpc.Metadata();
if (process.env.SHOAL_API_KEY) metadata.set('authorization', `Bearer ${process.env.SHOAL_API_KEY}`);
client.ModelInfer(request, metadata, { deadline: Date.now() + 5000 }, (error, response) => {
  client.close();
  if (error) {
    console.error(`${address}: ${grpc.status[error.code]}: ${error.details}`);
    process.exitCode = 1;
    return;
  }
  response.outputs.forEach(({ name }, i) => {
    const raw = Buffer.from(response.raw_output_contents[i]);
    console.log(name, Array.from({ length: raw.length / 4 }, (_, k) => raw.readInt32LE(k * 4)).join(' '));
  });
});
