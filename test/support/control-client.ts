import {
  type ChannelCredentials,
  Client,
  type ServiceDefinition,
  credentials,
  loadPackageDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoFolder } from './paths';

const loaded = loadPackageDefinition(
  loadSync('shoal/control/v1/models.proto', {
    includeDirs: [protoFolder],
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
    arrays: true,
  }),
) as unknown as { shoal: { control: { v1: { ModelControl: { service: ServiceDefinition } } } } };
const { service } = loaded.shoal.control.v1.ModelControl;

/** An entry of ListModels, as far as tests look at it. */
export interface ListedModel {
  readonly name: string;
  readonly wanted: boolean;
  readonly by_request: boolean;
  readonly chosen: readonly string[];
  readonly reason: string;
  readonly workers: readonly {
    readonly worker: string;
    readonly state: string;
    readonly reason: string;
    readonly versions: readonly { readonly version: string; readonly state: string }[];
  }[];
}

/** shoal.control.v1.ModelControl as users call it, on grpc-js. */
export class ControlClient {
  readonly #client: Client;

  constructor(target: string, channel: ChannelCredentials = credentials.createInsecure()) {
    this.#client = new Client(target, channel);
  }

  /** @throws ServiceError */
  call<Res = object>(method: string, request: object, deadlineMs = 30_000): Promise<Res> {
    const definition = service[method];
    if (definition === undefined) throw new Error(`no method ${method}`);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        definition.path,
        definition.requestSerialize,
        definition.responseDeserialize,
        request,
        { deadline: Date.now() + deadlineMs },
        (error, response) => (error ? reject(error) : resolve(response as Res)),
      );
    });
  }

  /** @throws Error when the router does not know it. */
  async model(name: string): Promise<ListedModel> {
    const { models } = await this.call<{ models: readonly ListedModel[] }>('ListModels', { model: name });
    const [found] = models;
    if (found === undefined) throw new Error(`nobody knows ${name}`);
    return found;
  }

  /** Ids of the workers that serve it, sorted. */
  async servers(name: string): Promise<string[]> {
    const { workers } = await this.model(name);
    return workers.filter(({ state }) => state === 'READY').map(({ worker }) => worker);
  }

  close(): void {
    this.#client.close();
  }
}
