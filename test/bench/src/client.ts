import { readFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** The project's folder, from src/ or dist/. */
export const projectRoot = findRoot(__dirname);

const definition = grpc.loadPackageDefinition(
  loadSync('inference/grpc_service.proto', {
    includeDirs: [path.join(projectRoot, 'proto')],
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
    arrays: true,
  }),
);

type Service = grpc.ServiceClientConstructor;
const service = (definition['inference'] as grpc.GrpcObject)['GRPCInferenceService'] as Service;

/** A stock grpc-js client with a window that holds a large tensor, yet fits a TCP socket's buffers. */
export function connect(target: string): grpc.Client {
  return new service(target, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': 1 << 20,
    'grpc.use_local_subchannel_pool': 1,
  });
}

const methods = service.service;

/** Serialises a message of the named method's request type once, so that sending it costs the generator little. */
export function serialise(method: string, message: object): Buffer {
  return methods[method]!.requestSerialize(message);
}

/** A unary call with proto-loader objects. */
export function call<Res>(client: grpc.Client, method: string, request: object): Promise<Res> {
  const { path: route, requestSerialize, responseDeserialize } = methods[method]!;
  return new Promise((resolve, reject) =>
    client.makeUnaryRequest(route, requestSerialize, responseDeserialize, request, (error, response) =>
      error ? reject(error) : resolve(response as Res),
    ),
  );
}

/** A ModelInferRequest of one FP32 input of `elements` values. */
export function inferRequest(model: string, elements: number): Buffer {
  const raw = Buffer.from(Float32Array.from({ length: elements }, (_, i) => i % 251).buffer);
  return serialise('ModelInfer', {
    model_name: model,
    inputs: [{ name: 'INPUT0', datatype: 'FP32', shape: [1, elements] }],
    raw_input_contents: [raw],
  });
}

function findRoot(from: string): string {
  const file = path.join(from, 'package.json');
  if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'shoal') return from;
  const parent = path.dirname(from);
  if (parent === from) throw new Error('not inside the project');
  return findRoot(parent);
}
