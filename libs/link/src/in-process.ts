import { ShoalError } from '@shoal/core';
import type { Link, LinkListener } from './link';
import { LinkEnd } from './link-end';
import type { Hello } from './messages';

interface Acceptor {
  readonly self: Hello;
  readonly accept: (link: Link) => void;
  readonly links: Set<Link>;
}

/**
 * Links within one process: the messages themselves change hands, by reference, in a later microtask. Both ends end
 * together, each after it has received what was sent before.
 */
export class InProcessCarrier {
  readonly #acceptors = new Map<string, Acceptor>();
  readonly #onError: (thrown: unknown) => void;

  constructor(onError: (thrown: unknown) => void) {
    this.#onError = onError;
  }

  listen(address: string, self: Hello, accept: (link: Link) => void): LinkListener {
    if (this.#acceptors.has(address)) throw new ShoalError('UNAVAILABLE', `${address} is already taken`);
    const acceptor: Acceptor = { self, accept, links: new Set() };
    this.#acceptors.set(address, acceptor);
    return {
      address,
      close: async () => {
        if (this.#acceptors.get(address) === acceptor) this.#acceptors.delete(address);
        await Promise.all([...acceptor.links].map((link) => link.close()));
      },
    };
  }

  connect(address: string, self: Hello): Link {
    const acceptor = this.#acceptors.get(address);
    if (!acceptor) throw new ShoalError('UNAVAILABLE', `nobody listens at ${address}`);
    const end = () => {
      acceptor.links.delete(theirs);
      ours.ended();
      theirs.ended();
    };
    const ours: LinkEnd = new LinkEnd(
      acceptor.self,
      { send: (message) => theirs.arrived(message), bufferedBytes: () => 0, close: end },
      this.#onError,
    );
    const theirs: LinkEnd = new LinkEnd(
      self,
      { send: (message) => ours.arrived(message), bufferedBytes: () => 0, close: end },
      this.#onError,
    );
    acceptor.links.add(theirs);
    queueMicrotask(() => acceptor.accept(theirs));
    return ours;
  }
}
