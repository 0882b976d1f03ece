import { Client, credentials } from '@grpc/grpc-js';
import {
  type PackageDefinition,
  type ServiceDefinition,
  loadFileDescriptorSetFromBuffer,
  loadSync,
} from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import { protoFolder } from '../support/paths';
import { type Shoal, startShoal } from '../support/shoal';
import { simpleRequest } from '../support/tensors';

const messages = protobuf.parse(`
  syntax = "proto3";
  message Request { string file_by_filename = 3; string file_containing_symbol = 4; string list_services = 7; }
  message Response { Files files = 4; Services services = 6; Problem problem = 7; }
  message Files { repeated bytes file = 1; }
  message Services { repeated Service service = 1; }
  message Service { string name = 1; }
  message Problem { int32 code = 1; string text = 2; }
`).root;

interface Answer {
  readonly files?: { readonly file: readonly Buffer[] };
  readonly services?: { readonly service: readonly { readonly name: string }[] };
  readonly problem?: { readonly code: number };
}

let shoal: Shoal;

beforeAll(async () => {
  shoal = await startShoal({ models: { simple: {} } });
}, 60_000);

afterAll(() => shoal.stop(), 40_000);

async function ask(service: string, request: object): Promise<Answer> {
  const type = messages.lookupType('Request');
  const bytes = Buffer.from(type.encode(type.create(request)).finish());
  const { responses, status } = await shoal.raw.stream(`/${service}/ServerReflectionInfo`, [bytes]);
  expect(status).toBe('OK');
  expect(responses).toHaveLength(1);
  return messages.lookupType('Response').decode(responses[0]!).toJSON() as unknown as Answer;
}

describe.each(['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'])('%s', (service) => {
  test('lists the services', async () => {
    const { services } = await ask(service, { listServices: '*' });
    expect(services?.service.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['grpc.health.v1.Health', 'inference.GRPCInferenceService']),
    );
  });

  test('describes the service so that a client that knows nothing else can call it', async () => {
    const definition = await describeService(service);
    const described = definition['inference.GRPCInferenceService'] as ServiceDefinition;
    const known = loadSync('inference/grpc_service.proto', { includeDirs: [protoFolder] });
    expect(Object.keys(described).toSorted()).toEqual(Object.keys(known['inference.GRPCInferenceService']!).toSorted());

    const { path, requestSerialize, responseDeserialize } = described['ModelInfer']!;
    const client = new Client(shoal.address, credentials.createInsecure());
    const answer = await new Promise<{ raw_output_contents: Buffer[] }>((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, simpleRequest(5), (error, response) => {
        if (error) reject(error);
        else resolve(response as { raw_output_contents: Buffer[] });
      });
    });
    client.close();
    expect(answer.raw_output_contents[0]?.readInt32LE(0)).toBe(20);
  });

  test('does not know what there is not', async () => {
    const { problem } = await ask(service, { fileContainingSymbol: 'no.such.Thing' });
    // 5 is NOT_FOUND.
    expect(problem?.code).toBe(5);
  });
});

/** All files that the server gives for the service's symbol, with what they import, loaded as a package. */
async function describeService(service: string): Promise<PackageDefinition> {
  const { files } = await ask(service, { fileContainingSymbol: 'inference.GRPCInferenceService' });
  const found = new Map<string, Buffer>();
  const imports =
    messages.root.lookup('Request') &&
    protobuf
      .parse(`
    syntax = "proto3";
    message File { string name = 1; repeated string dependency = 3; }
  `)
      .root.lookupType('File');
  const waiting = (files?.file ?? []).map((base64) => Buffer.from(base64 as unknown as string, 'base64'));
  for (let bytes = waiting.shift(); bytes; bytes = waiting.shift()) {
    const file = imports!.decode(bytes).toJSON() as { name: string; dependency?: string[] };
    found.set(file.name, bytes);
    for (const name of file.dependency ?? []) {
      if (found.has(name)) continue;
      const more = await ask(service, { fileByFilename: name });
      for (const base64 of more.files?.file ?? []) waiting.push(Buffer.from(base64 as unknown as string, 'base64'));
    }
  }
  const set = protobuf.parse('syntax = "proto3"; message Set { repeated bytes file = 1; }').root.lookupType('Set');
  return loadFileDescriptorSetFromBuffer(Buffer.from(set.encode({ file: [...found.values()] }).finish()), {
    keepCase: true,
  });
}
