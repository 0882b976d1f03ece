import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import type { HeaderField } from '@shoal/http2';
import { type MethodCodec, maxDecodedBytes, serverCodec } from '../../method';
import type { Handlers, ServiceOptions } from '../../server';

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
}

/** A server's methods by path. */
export class RouteTable {
  readonly #routes = new Map<string, Route>();
  readonly #maxMessageBytes: number;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
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
