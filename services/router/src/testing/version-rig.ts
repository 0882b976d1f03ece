import { type RouterRig, startRig } from './router-rig';
import { modelConfig } from './model-configs';
import type { RouterConfig } from '../flags';
import { assembleInferResponse } from '@shoal/protocol';
import { wholeBytes } from '@shoal/link';

/** A rig with a model `split` of one FP32 input and output, in versions 1 and 2 unless told. */
export interface VersionRig extends RouterRig {
  /** What a version adds to its input; 0 unless set. */
  readonly added: Map<string, number>;
  /** Versions that hold their answers back. */
  readonly silent: Set<string>;
  /** Sends one request; resolves with the version that answered, or with the status and text of its failure. */
  ask(options?: AskOptions): Promise<string>;
  traffic(name: string, request: object): Promise<Record<string, any>>; // eslint-disable-line typescript/no-explicit-any -- a message
}

export interface AskOptions {
  readonly version?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly more?: object;
}

export const splitConfig = modelConfig('split', 8, ['X FP32[2]'], ['Y FP32[2]']);

/** A request of `split`. */
export function splitRequest({ version = '', more = {} }: AskOptions = {}): object {
  return {
    model_name: 'split',
    model_version: version,
    inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 2] }],
    raw_input_contents: [Buffer.from(Float32Array.from([1, 2]).buffer)],
    ...more,
  };
}

/** Starts it; the runner answers for all versions, as their queues say. */
export async function startVersionRig(config: Partial<RouterConfig> = {}, versions = [1, 2]): Promise<VersionRig> {
  const rig = await startRig({ config });
  for (const version of versions) rig.announce(splitConfig, version);
  const added = new Map<string, number>();
  const silent = new Set<string>();
  const versionOf = new Map<number, string>();
  rig.batching.onOffer = (offer) => {
    const version = /^split\/(\d+)@/.exec(offer.queue)?.[1] ?? '';
    versionOf.set(offer.offerId, version);
    if (!silent.has(version)) rig.batching.send(offer);
  };
  rig.runner.onData = ({ offerId, requestId, inputs }, link) => {
    const version = versionOf.get(offerId) ?? '';
    const bytes = inputs[0] ? wholeBytes(inputs[0].bytes) : new Uint8Array(0);
    const values = new Float32Array(Uint8Array.from(bytes).buffer).map((x) => x + (added.get(version) ?? 0));
    const output = { name: 'Y', datatype: 'FP32', shape: [1, 2], contents: new Uint8Array(values.buffer) };
    const response = assembleInferResponse({ model: 'split', version, id: requestId, outputs: [output] });
    link.send({ kind: 'answer', offerId, response, computeUs: 0 });
  };
  return {
    ...rig,
    added,
    silent,
    async ask(options = {}) {
      const { headers = {} } = options;
      const { status, details, response } = await rig.client.call('ModelInfer', splitRequest(options), { headers });
      return status === 'OK' ? String(response?.['model_version']) : `${status}: ${details}`;
    },
    async traffic(name, request) {
      const { status, details, response } = await rig.client.call(name, request);
      return status === 'OK' ? (response ?? {}) : { status, details };
    },
  };
}
