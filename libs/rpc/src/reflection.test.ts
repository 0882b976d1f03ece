import { systemClock } from '@shoal/core';
import { assertNothingOpen, openNow, until } from '@shoal/testing';
import { join } from 'node:path';
import { loadSync } from '@grpc/proto-loader';
import { FileDescriptorProto, type IDescriptorProto } from 'protobufjs/ext/descriptor';
import type { RpcClient } from './client';
import { grpcCarriers } from './carrier';
import { createClient } from './create-client';
import { createServer } from './create-server';
import { type MethodDefinition, addReflection } from '.';
import type { RpcServer, StreamCall } from './server';

interface Answer {
  listServicesResponse?: { service: { name: string }[] };
  fileDescriptorResponse?: { fileDescriptorProto: Buffer[] };
  errorResponse?: { errorCode: number };
}

describe.each(grpcCarriers)('reflection on %s', (carrier) => {
  let openBefore: string[];
  let server: RpcServer;
  let client: RpcClient;

  beforeEach(async () => {
    openBefore = openNow();
    server = createServer({ clock: systemClock, carrier });
    addReflection(server, ['inference/grpc_service.proto', 'grpc/health/v1/health.proto']);
    client = createClient(`127.0.0.1:${await server.listen('127.0.0.1:0')}`, { carrier });
  });

  afterEach(async () => {
    client.close();
    await server.drain(1000);
    await assertNothingOpen(openBefore);
  });

  /** As grpcurl asks: through the published proto of the service, in both its versions. */
  function method(version: 'v1' | 'v1alpha'): MethodDefinition<object, Answer> {
    const folder = join(require.resolve('@grpc/reflection'), '..', '..', 'proto', 'grpc', 'reflection', version);
    const definitions = loadSync(join(folder, 'reflection.proto'), {});
    const service = definitions[`grpc.reflection.${version}.ServerReflection`] as unknown;
    return (service as { ServerReflectionInfo: MethodDefinition<object, Answer> }).ServerReflectionInfo;
  }

  async function ask(version: 'v1' | 'v1alpha', ...questions: object[]): Promise<Answer[]> {
    const stream = client.stream(method(version));
    const answers: Answer[] = [];
    stream.onMessage((answer) => answers.push(answer));
    for (const question of questions) stream.write(question);
    stream.end();
    const error = await new Promise((resolve) => stream.onEnd(resolve));
    expect(error).toBeUndefined();
    return answers;
  }

  test.each(['v1', 'v1alpha'] as const)('%s lists the services and describes what they use', async (version) => {
    const [list, file, missing] = await ask(
      version,
      { listServices: '' },
      { fileContainingSymbol: 'inference.GRPCInferenceService' },
      { fileContainingSymbol: 'inference.NoSuchThing' },
    );
    expect(list?.listServicesResponse?.service.map(({ name }) => name).toSorted()).toEqual([
      'grpc.health.v1.Health',
      'inference.GRPCInferenceService',
    ]);
    expect(file?.fileDescriptorResponse?.fileDescriptorProto.length).toBeGreaterThan(0);
    expect(missing?.errorResponse?.errorCode).toBe(5);
  });

  test('the entries of maps have the names that readers of descriptors insist on', async () => {
    const [file] = await ask('v1', { fileContainingSymbol: 'inference.ModelConfig' });
    const bytes = file?.fileDescriptorResponse?.fileDescriptorProto[0] ?? Buffer.alloc(0);
    const { messageType } = FileDescriptorProto.decode(bytes) as { messageType?: IDescriptorProto[] };
    const config = messageType?.find(({ name }) => name === 'ModelConfig');
    const entries = config?.nestedType?.filter(({ options }) => options?.mapEntry).map(({ name }) => name);
    expect(entries).toEqual(['CcModelFilenamesEntry', 'MetricTagsEntry', 'ParametersEntry']);
    const used = config?.field?.filter(({ typeName }) => typeName?.endsWith('Entry')).map(({ name }) => name);
    expect(used).toEqual(['cc_model_filenames', 'metric_tags', 'parameters']);
    const json = config?.field?.filter(({ name }) => name?.startsWith('model_')).map(({ jsonName }) => jsonName);
    expect(json).toEqual(expect.arrayContaining(['modelWarmup', 'modelTransactionPolicy']));
  });

  test('who asks on without reading the answers is held back', async () => {
    const [questions, questionBytes] = [160, 256 * 1024];
    let most = 0;
    let received = 0;
    const watched = createServer({ clock: systemClock, carrier });
    addReflection(
      {
        ...watched,
        addService(definition, handlers) {
          const serve = handlers['ServerReflectionInfo'] as (call: StreamCall<unknown, unknown>) => void;
          watched.addService(definition, {
            ServerReflectionInfo: (call: StreamCall<unknown, unknown>) =>
              serve(
                Object.assign(Object.create(call) as typeof call, {
                  onMessage: (receive: (message: unknown) => void) =>
                    call.onMessage((message) => {
                      received += 1;
                      receive(message);
                      most = Math.max(most, call.bufferedBytes);
                    }),
                  onEnd: (ended: () => void) => call.onEnd(ended),
                  onDrain: (drained: () => void) => call.onDrain(drained),
                  write: (message: unknown) => call.write(message),
                  pause: () => call.pause(),
                  resume: () => call.resume(),
                  end: () => call.end(),
                }),
              ),
          });
        },
      },
      ['grpc/health/v1/health.proto'],
    );
    const asker = createClient(`127.0.0.1:${await watched.listen('127.0.0.1:0')}`, { carrier });
    const stream = asker.stream(method('v1'));
    for (let i = 0; i < questions; i += 1) stream.write({ fileContainingSymbol: 'x'.repeat(questionBytes) });
    stream.end();
    await until(() => most > 1024 * 1024);
    // Everything that could still arrive does so now.
    for (let turn = 0; turn < 500; turn += 1) await new Promise(setImmediate);
    expect(most).toBeLessThan(4 * 1024 * 1024);
    expect(received).toBeLessThan(questions);
    const answers: Answer[] = [];
    stream.onMessage((answer) => answers.push(answer));
    expect(await new Promise((resolve) => stream.onEnd(resolve))).toBeUndefined();
    expect(answers).toHaveLength(questions);
    asker.close();
    await watched.drain(1000);
  });
});
