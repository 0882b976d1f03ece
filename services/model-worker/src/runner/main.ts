import { ShoalError, systemClock, systemRandom } from '@shoal/core';
import { type LinkListener, createTransport } from '@shoal/link';
import type { FromRunner, Hung, Loaded, ServeSpec, ToRunner } from '../control-messages';
import { Engine } from './engine';
import { linkTlsOf } from './link-tls';
import { responseBuilder } from './response';
import { runError } from './run-error';
import { SessionHost } from './session-host';
import { openRunSpans } from './tracing/open-run-spans';
import type { RunResult, ThreadTensor } from './thread-messages';
import { warmUpFeeds } from './warm-up';

/*
 * A runner process: one session of one model version. Its supervisor tells it over the IPC channel what to load and
 * to serve; requests come over links. It ends when it is told to, and at once when its supervisor is gone.
 */

const bornAt = systemClock.now();

/** When the supervisor does not end a hung process in this time, the process ends itself. */
const lastResortMs = 1000;

function tell(message: FromRunner, sent?: () => void): void {
  process.send?.(message, sent);
}

/** Also ends a process whose session thread is in the middle of a run; an orderly exit would wait for it, or abort. */
function endNow(): void {
  process.kill(process.pid, 'SIGKILL');
}

function hung(reason: string): void {
  tell({ kind: 'hung', reason } satisfies Hung);
  systemClock.schedule(lastResortMs, endNow);
}

const host = new SessionHost({
  clock: systemClock,
  onDeath(cause) {
    process.stderr.write(`session thread: ${cause.message}\n`);
    process.exitCode = 1;
    endNow();
  },
  onInline: () => tell({ kind: 'inline' }),
});
let loaded: Loaded | undefined;
let engine: Engine | undefined;
let listener: LinkListener | undefined;
let flushSpans: () => Promise<void> = () => Promise.resolve();

function runOnce(feeds: readonly ThreadTensor[], fetches: readonly string[]): Promise<RunResult> {
  return new Promise((resolve) => {
    const result = host.run(feeds, fetches, resolve);
    if (result) resolve(result);
  });
}

/** Runs the samples. Throws ShoalError, fit for users. */
async function warmUp({ signature, warmups, modelFolder }: ServeSpec): Promise<void> {
  const outputs = signature.outputs.map(({ name }) => name);
  for (const sample of warmups) {
    for (let i = 0; i < sample.count; i += 1) {
      const result = await runOnce(await warmUpFeeds(signature, sample, systemRandom), outputs);
      if (result.kind === 'ran') continue;
      const { message } = runError(result.reason, result.exhausted, modelFolder, signature.model);
      throw new ShoalError('INTERNAL', `failed to run warmup sample '${sample.name}': ${message}`);
    }
  }
}

async function serve(spec: ServeSpec): Promise<void> {
  try {
    await warmUp(spec);
  } catch (thrown) {
    if (!(thrown instanceof ShoalError)) throw thrown;
    tell({ kind: 'load-failed', reason: thrown.message, code: thrown.code });
    return;
  }
  const listed = new Set(loaded?.info.inputMetadata.map(({ name }) => name));
  const fed = new Set(spec.signature.inputs.flatMap(({ name }, index) => (listed.has(name) ? [index] : [])));
  const { id, queue, signature, modelFolder, gatherTimeoutMs, runTimeoutMs, abandonedGraceMs } = spec;
  const opened = spec.traced ? openRunSpans(id, loaded?.candidate, systemClock, tell) : undefined;
  if (opened) flushSpans = opened.flush;
  const made = new Engine({
    id,
    queue,
    signature,
    fed,
    gatherTimeoutMs,
    runTimeoutMs,
    // To end this process for one run costs the others at least as long as it took to get here.
    abandonedGraceMs: Math.max(abandonedGraceMs, systemClock.now() - bornAt),
    modelFolder,
    clock: systemClock,
    buildResponse: responseBuilder(signature, spec.labels, spec.maxResponseBytes),
    run: (feeds, fetches, ended) => host.run(feeds, fetches, ended),
    onHung: hung,
    spans: opened?.spans,
  });
  engine = made;
  const tls = spec.tls && linkTlsOf(spec.tls, systemClock);
  const { sharedMemoryBytes } = spec;
  const transport = createTransport({ clock: systemClock, sharedMemoryBytes, ...(tls && { tls }) });
  listener = await transport.listen(spec.listen, { kind: 'hello', role: 'runner', id }, (link) => made.accept(link));
  tell({ kind: 'serving', address: listener.address });
}

async function stop(): Promise<void> {
  await engine?.stop();
  await listener?.close();
  await host.release();
  await flushSpans();
  process.exit(0);
}

async function obey(order: ToRunner): Promise<void> {
  if (order.kind === 'load') {
    const outcome = await host.load(order);
    if (outcome.kind === 'loaded') loaded = outcome;
    tell(outcome);
  } else if (order.kind === 'serve') await serve(order);
  else if (order.kind === 'retire') engine?.retire();
  else if (order.kind === 'stop') await stop();
  else tell({ kind: 'pong' });
}

process.on('message', (order: ToRunner) => {
  obey(order).catch((thrown: unknown) => {
    // Of all orders only loading and serving can fail; their words go through the supervisor's sanitiser.
    tell({ kind: 'load-failed', reason: thrown instanceof Error ? thrown.message : String(thrown) });
  });
});
// The supervisor decides when to end; a terminal's Ctrl-C or a service manager's signal goes to the whole group.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', endNow);
