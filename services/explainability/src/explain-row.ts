import { ShoalError } from '@shoal/core';
import { type AnswerParts, respond } from './answers/respond';
import type { ExplainCall, ExplainerDeps } from './explain-call';
import { startChosen } from './methods/auto';
import type { MethodContext, Running } from './methods/method';
import { methodNamed, startMethod } from './methods/methods';
import { withSketch } from './methods/with-sketch';
import { type Usage, drive } from './perturbing/drive';
import { Pace } from './perturbing/pace';
import { PredictionStream } from './perturbing/prediction-stream';
import { plainRequest } from './perturbing/row-requests';
import { measure } from './quality/measure';
import type { Measured, Measuring } from './quality/measuring';
import { refuseUnmeasurable, wantsQuality } from './quality/wanted';
import { type RowParts, isAuto, rowContext } from './row-context';

/** Shapley values that are not known before the end, or for long. */
const lateMethods: ReadonlySet<string> = new Set(['exact', 'kernel_shap', 'interactions', 'owen']);

/** Between two partial answers, and two looks whether it is still the same model, ms. */
const nowAndThenMs = 250;

/** @returns shoal.explain.v1.ExplainResponse @throws ShoalError */
export async function explainRow(parts: RowParts, deps: ExplainerDeps): Promise<object> {
  const { message, door, call } = parts;
  const { clock } = deps;
  const { context, divided, baseKey } = await rowContext(parts, deps);
  refuseUnmeasurable(message, context);
  const { name, reason, running: started } = await start(parts, context);
  // Some methods know nothing for long; with a deadline there is to be something by then.
  const running: Running & { readonly sketched?: boolean } =
    call.deadline !== undefined && lateMethods.has(name) && started.answer() === undefined
      ? withSketch(started, context)
      : started;
  const pace = new Pace(clock, call.deadline);
  const usage: Usage = { rows: 1, requests: 1 };
  const evaluatingFrom = clock.now();
  const answerParts = (): AnswerParts => ({
    id: message.id,
    model: message.model_name,
    version: parts.answer.modelVersion,
    method: name,
    reason: [divided, reason].filter((one) => one !== '').join('; '),
    context,
    compares: wantsQuality(message) || methodNamed(name).compares !== false,
    output: running.indices ? { ...context.output, indices: running.indices } : context.output,
    usage,
    totalMs: clock.now() - parts.startedAt,
    evaluatingMs: clock.now() - evaluatingFrom,
    meanRoundTripMs: pace.meanMs,
  });
  let counted = 0;
  const count = () => {
    deps.metrics?.evaluated(name, usage.rows - counted);
    counted = usage.rows;
  };
  const run = ({ source, requests }: Pick<Running, 'source' | 'requests'>, partial?: () => boolean) =>
    drive({
      source,
      requests: requests ?? context.requests(context.output),
      open: (failed) => new PredictionStream(door, failed),
      pace,
      limits: limitsOf(parts, context, deps),
      usage,
      signal: call.signal,
      progressed: nowAndThen(clock, () => {
        refuseAnother(parts, deps);
        return partial?.() ?? true;
      }),
    }).finally(count);
  const tell = call.partial;
  const how = await run(running, tell && (() => tellPartial(tell, running, answerParts())));
  refuseAnother(parts, deps);
  const result = running.answer();
  if (!result)
    throw how === 'deadline' ? noAnswerYet(name, usage) : new ShoalError('INTERNAL', `${name} ended without an answer`);
  if (running.knowsBase) {
    const base = Float64Array.from(result.outputs, ({ baseValue }) => baseValue);
    parts.baseValues?.set(baseKey, base);
  }
  const measuring: Measuring = {
    ...{ context, result, method: name, run, quality: message.quality },
    predict: (row) => context.predict(plainRequest(message.model_name, parts.answer.modelVersion, row)),
  };
  const measured = wantsQuality(message) ? await measuredInTime(measuring, how) : undefined;
  const late =
    how === 'deadline' && running.sketched
      ? [`the deadline came before ${name} had an answer: these are Shapley values of one permutation`]
      : [];
  deps.metrics?.explained(name, clock.now() - parts.startedAt);
  return respond(answerParts(), {
    result,
    partial: false,
    stopped: how === 'deadline' ? 'deadline' : undefined,
    quality: measured?.measures ?? [],
    warnings: [...(running.notes ?? []), ...late, ...(measured?.warnings ?? [])],
  });
}

function start({ message }: RowParts, context: MethodContext) {
  const { method = '' } = message;
  return isAuto(message) ? startChosen(context) : startNamed(method, context);
}

async function startNamed(name: string, context: MethodContext) {
  return { name, reason: '', running: await startMethod(name, context) };
}

async function measuredInTime(measuring: Measuring, how: 'done' | 'deadline'): Promise<Measured> {
  if (how === 'done') return measure(measuring);
  return { measures: [], warnings: ['the deadline came before the quality could be measured'] };
}

/** A function that does something at most every quarter of a second; what returns false is tried again at once. */
function nowAndThen(clock: ExplainerDeps['clock'], act: () => boolean): () => void {
  let last = clock.now();
  return () => {
    const now = clock.now();
    if (now - last >= nowAndThenMs && act()) last = now;
  };
}

/** Says what is known so far; false when nothing is. */
function tellPartial(tell: NonNullable<ExplainCall['partial']>, running: Running, parts: AnswerParts): boolean {
  const answer = running.answer();
  if (!answer) return false;
  const result = { ...answer, exact: false, converged: false };
  tell(respond(parts, { result, partial: true, stopped: undefined, quality: [], warnings: [] }));
  return true;
}

function limitsOf({ message, version }: RowParts, { batched, background }: MethodContext, { config }: ExplainerDeps) {
  const most = config.explainRowsPerRequest;
  const asked = message.row_batch > 0 ? message.row_batch : most;
  // As many as the model takes at once; whole coalitions where they fit.
  const rows = batched ? Math.min(asked, most, version.config?.max_batch_size ?? 1) : 1;
  return {
    requests: config.explainOutstandingRequests,
    bytes: config.explainOutstandingBytes,
    rows: rows < background.count ? rows : rows - (rows % background.count),
  };
}

/** An answer that mixes two contents of one version would be of neither. */
function refuseAnother({ message, version, answer }: RowParts, { versions }: ExplainerDeps): void {
  const now = versions.find(message.model_name, answer.modelVersion);
  if (now?.generation === version.generation && now.state === 'READY') return;
  throw new ShoalError(
    'ABORTED',
    `model '${message.model_name}' version ${answer.modelVersion} was loaded anew or unloaded while it was explained: ask again`,
  );
}

function noAnswerYet(method: string, { rows }: Usage): ShoalError {
  return new ShoalError(
    'DEADLINE_EXCEEDED',
    `the deadline came before ${method} had an answer, after ${rows} rows: give it more time or fewer features`,
  );
}
