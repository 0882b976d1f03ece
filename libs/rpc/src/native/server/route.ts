import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import type { HeaderField } from '@shoal/http2';
import { type MethodCodec, maxDecodedBytes, serverCodec } from '../../method';
import type { CallMeter, Handlers, ServerSettings, ServiceOptions } from '../../server';

/** A method that has a handler. */
export interface Route {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly handler: Handlers[string];
  readonly codec: MethodCodec;
  /** Of a request message. */
  readonly maxBytes: number;
  readonly table: RouteTable;
  readonly meter: CallMeter | undefined;
}

/** A server's methods by path. */
export class RouteTable {
  readonly #routes = new Map<string, Route>();
  readonly #maxMessageBytes: number;
  readonly #meterOf: ServerSettings['meterOf'];

  constructor(maxMessageBytes: number, meterOf?: ServerSettings['meterOf']) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#meterOf = meterOf;
  }

  add(definition: ServiceDefinition, handlers: Handlers, options: ServiceOptions = {}): void {
    for (const [name, handler] of Object.entries(handlers)) {
      const method = definition[name] as MethodDefinition<unknown, unknown> | undefined;
      if (!method) throw new Error(`there is no method ${name} in this service`);
      const passthrough = options.passthrough?.includes(name) ?? false;
      const large = options.large?.includes(name) ?? false;
      this.#routes.set(method.path, {
        path: method.path,
        requestStream: method.requestStream,
        responseStream: method.responseStream,
        handler,
        codec: serverCodec(method, { passthrough, large }),
        maxBytes: passthrough || large ? this.#maxMessageBytes : Math.min(this.#maxMessageBytes, maxDecodedBytes),
        table: this,
        meter: this.#meterOf?.(method.path),
      });
    }
  }

  /** Remembered in the field: on a busy connection it is the same object for call after call. */
  find(path: HeaderField): Route | undefined {
    const known = path.memo as Route | undefined;
    // A field of HPACK's static table is everybody's.
    if (known !== undefined && known.table === this) return known;
    const route = this.#routes.get(path.value);
    if (route !== undefined) path.memo = route;
    return route;
  }
}
