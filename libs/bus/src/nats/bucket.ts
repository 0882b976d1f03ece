import { sleep } from '@shoal/core';
import { type KV, type KvEntry, Kvm } from '@nats-io/kv';
import { StorageType } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { keepMs } from './announcer';
import { type Settings, limited, textOf } from './settings';

const retryMs = 300;
/** How often the watch is tried by an entry of our own, and how long that may take. */
const probeMs = 5_000;

export interface BucketEvents {
  readonly up: (kv: KV) => void;
  readonly entry: (entry: KvEntry) => void;
  /** All that stood when the watch began has been told. */
  readonly complete: () => void;
}

/**
 * Follows the bucket over one connection until `signal`: opens or makes it, watches all of it, and begins the watch
 * anew whenever an entry of our own does not come back through it.
 */
export async function followBucket(
  nc: NatsConnection,
  settings: Settings,
  replicas: number,
  events: BucketEvents,
  signal: AbortSignal,
): Promise<void> {
  const complain = limited(settings.clock, (problem) =>
    settings.log.warn('JetStream does not answer; trying again', { problem }),
  );
  while (!signal.aborted) {
    try {
      // In memory: all of it is announced again when it is lost. A missing stream and one without a leader look alike, so all errors are tried again.
      const kv = await new Kvm(nc).create(`${settings.prefix}-bus`, {
        storage: StorageType.Memory,
        history: 1,
        ttl: keepMs,
        replicas,
        timeout: 2_000,
      });
      await follow(kv, settings, events, signal);
    } catch (thrown) {
      if (!signal.aborted) complain(textOf(thrown));
    }
    await sleep(settings.clock, retryMs, signal).catch(() => undefined);
  }
}

/** @throws Error when the watch ends or is found dead. */
async function follow(kv: KV, settings: Settings, events: BucketEvents, signal: AbortSignal): Promise<void> {
  const probeKey = `${settings.owner}.=.probe`;
  const watch = await kv.watch();
  const stop = () => watch.stop();
  signal.addEventListener('abort', stop, { once: true });
  const ended = new AbortController();
  let seen = -1;
  let sent = 0;
  events.up(kv);
  const probing = (async () => {
    for (;;) {
      await kv.put(probeKey, String(++sent));
      await sleep(settings.clock, probeMs, ended.signal);
      if (seen < sent) return;
    }
  })().catch(() => undefined);
  // Whether it was a put that failed or an entry that did not come back: begin anew.
  void probing.then(stop);
  try {
    for await (const entry of watch) {
      if (entry.key !== probeKey) {
        events.entry(entry);
      } else {
        if (seen < 0) events.complete();
        seen = Number(entry.string());
      }
    }
  } finally {
    ended.abort(new Error('ended'));
    watch.stop();
    signal.removeEventListener('abort', stop);
    await probing;
  }
  if (!signal.aborted) throw new Error('the watch of the announcements broke off');
}
