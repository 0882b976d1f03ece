import { type Clock, sleep } from '@shoal/core';
import type { ProviderCandidate } from '@shoal/repository';
import { SpanRelay } from '@shoal/telemetry';
import type { Spans } from '../../control-messages';
import { deviceOf } from '../../supervisor/device';
import { RunSpans } from './run-spans';

/** For so long spans wait for others. */
const delayMs = 100;
const maxBytes = 64 * 1024;
/** How long the end of the process waits for the supervisor to take the last. */
const lastMs = 500;
/** Bytes that the supervisor may have left unread: one that stands still must not fill this process's memory. */
const maxUnreadBytes = 4 * 2 ** 20;

/**
 * The spans of this runner process. Its supervisor exports them: a model's process has no need of an exporter's addresses and keys, and may be
 * ended at any time.
 */
export function openRunSpans(
  runner: string,
  candidate: ProviderCandidate | undefined,
  clock: Clock,
  tell: (message: Spans, sent: () => void) => void,
): { readonly spans: RunSpans; readonly flush: () => Promise<void> } {
  const channel = { unread: 0 };
  const relay = new SpanRelay({
    clock,
    delayMs,
    maxBytes,
    hand(encoded, count) {
      if (channel.unread > maxUnreadBytes) return;
      channel.unread += encoded.length;
      tell({ kind: 'spans', encoded: encoded.toString('base64'), count }, () => {
        channel.unread -= encoded.length;
      });
    },
  });
  const spans = new RunSpans({
    clock,
    tracer: relay.tracer,
    clockTime: (wallMs) => relay.clockTime(wallMs),
    runner,
    device: candidate ? deviceOf(candidate) : '',
  });
  return {
    spans,
    async flush() {
      relay.flush();
      const until = clock.now() + lastMs;
      while (channel.unread > 0 && clock.now() < until) await sleep(clock, 1);
    },
  };
}
