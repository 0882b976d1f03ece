import { type Clock, systemClock } from '@shoal/core';
import type { Bus } from './bus';
import { LocalCalls } from './local-calls';
import { LocalBlobs, LocalState } from './local-state';
import { LocalValues } from './local-values';

export interface LocalBusOptions {
  /** Times the calls. Default: real time. */
  readonly clock?: Clock;
  /** Told of what a watch's listener threw; the other listeners hear their news all the same. Default: a process warning. */
  readonly onError?: (thrown: unknown) => void;
}

/**
 * The bus of one process. Values and requests pass by reference (nothing is cloned or frozen: this is the cheap twin of
 * a network, and the contract forbids mutation). Listeners and handlers are never called from within `announce`,
 * `watch` or `call`, always in a later microtask and in order. After `close` nobody is told anything any more.
 */
export function createLocalBus(options: LocalBusOptions = {}): Bus {
  const onError = options.onError ?? ((thrown) => process.emitWarning(asError(thrown)));
  const values = new LocalValues(onError);
  const state = new LocalState(onError);
  const calls = new LocalCalls(options.clock ?? systemClock);
  return {
    state,
    blobs: new LocalBlobs(),
    announce: (key, value) => values.set(key, value),
    withdraw: (key) => values.set(key, undefined),
    watch: (prefix, listener) => values.watch(prefix, listener as (key: string, value: object | undefined) => void),
    // Whoever announces lives in this process.
    vouch: () => () => undefined,
    serve: (subject, handler) => calls.serve(subject, handler as (request: unknown) => Promise<unknown>),
    call: <Req, Res>(subject: string, request: Req, callOptions?: { timeoutMs?: number; signal?: AbortSignal }) =>
      calls.call(subject, request, callOptions) as Promise<Res>,
    health: { connected: true, reconnects: 0 },
    joined: Promise.resolve(),
    close() {
      values.close();
      state.close();
      calls.close();
      return Promise.resolve();
    },
  };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
