import { type Clock, type Lifecycle, ShoalError } from '@shoal/core';
import { type InferRequestView, checkInferRequest, maxMessageBytes } from '@shoal/protocol';
import type { Logger } from '@shoal/telemetry';
import type { Catalog } from '../catalog/catalog';
import type { Admission } from '../requests/admission';
import type { InferPlan } from '../requests/infer-plan';
import type { RequestTable } from '../requests/request-table';
import { RegionUse, type Regions } from '../shared-memory/regions';
import { InferCall, type InferListener } from './infer-call';

/** How a request came. */
export interface InferOrigin {
  /** ModelInfer; false: ModelStreamInfer. */
  readonly unary: boolean;
  readonly message: Buffer;
  /** Clock time, ms; undefined = none. */
  readonly deadline: number | undefined;
}

export interface InferenceDeps {
  readonly catalog: Catalog;
  readonly table: RequestTable;
  readonly admission: Admission;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined where clients may not use shared memory. */
  readonly regions: Regions | undefined;
}

/** Takes requests in: finds their model, checks and admits them, and hands them to the table. */
export class Inference {
  readonly #deps: InferenceDeps;
  /** Of one request's inputs: what may be admitted and what one message to a runner holds. */
  readonly #maxBytes: number;

  constructor(deps: InferenceDeps) {
    this.#deps = deps;
    this.#maxBytes = Math.min(deps.admission.maxBytes, maxMessageBytes);
  }

  /** Starts a request. @throws ShoalError that the client is to see when it is refused at once; then `listener` hears nothing. */
  start(view: InferRequestView, origin: InferOrigin, listener: InferListener): InferCall {
    const { table, admission, lifecycle, regions } = this.#deps;
    if (lifecycle.state !== 'READY') throw new ShoalError('UNAVAILABLE', 'the server is shutting down');
    const use = regions && new RegionUse(regions);
    try {
      const plan = this.#plan(view, origin.unary, use);
      const bytes = heldBytes(plan, origin.message);
      admission.admit(bytes);
      const call = new InferCall(listener, {
        replan: () => this.#plan(view, origin.unary, use),
        release() {
          admission.release(bytes);
          use?.release();
        },
        table,
      });
      call.submit(plan, origin.deadline ?? Infinity);
      return call;
    } catch (thrown) {
      use?.release();
      throw thrown;
    }
  }

  /** Notes a failed request where somebody wants to know. */
  note(view: InferRequestView | undefined, error: ShoalError): void {
    this.#deps.logger.verbose(1, 'request failed', {
      model: view?.modelName.slice(0, 256),
      code: error.code,
      reason: error.message,
    });
  }

  #plan(view: InferRequestView, unary: boolean, use: RegionUse | undefined): InferPlan {
    const version = this.#deps.catalog.resolve(view.modelName, view.modelVersion);
    const request = checkInferRequest(view, version.signature, {
      unary,
      maxBytes: this.#maxBytes,
      ...(use && { sharedMemory: use }),
    });
    if (version.signature.decoupled) {
      throw new ShoalError(
        'UNIMPLEMENTED',
        `model '${view.modelName}' has a decoupled transaction policy, which this server does not support`,
      );
    }
    return { version, request, regions: use };
  }
}

/** The message, and the inputs that are not views into it but copies (typed contents), or may become such (shared memory). */
function heldBytes({ request }: InferPlan, message: Buffer): number {
  let bytes = message.length;
  for (const { bytes: input } of request.inputs) {
    if (!(input instanceof Uint8Array) || input.buffer !== message.buffer) bytes += input.byteLength;
  }
  return bytes;
}
