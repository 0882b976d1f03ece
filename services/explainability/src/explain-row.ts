import type { VersionAnnouncement } from '@shoal/bus';
import { ShoalError } from '@shoal/core';
import type { InferResponseView } from '@shoal/protocol';
import { createHash } from 'node:crypto';
import { type AnswerParts, respond } from './answers/respond';
import type { BackgroundRows } from './backgrounds/background-rows';
import { makeBackground } from './backgrounds/make-background';
import type { ExplainCall, ExplainerDeps } from './explain-call';
import type { OutputPick } from './perturbing/prediction-reader';
import { type Chosen, startChosen } from './methods/auto';
import type { MethodContext, Running } from './methods/method';
import { methodNamed } from './methods/methods';
import { withSketch } from './methods/with-sketch';
import { type Usage, drive } from './perturbing/drive';
import { makeMasker } from './perturbing/make-masker';
import { linkOf } from './requests/link';
import { Pace } from './perturbing/pace';
import { PredictionStream, type StreamParts } from './perturbing/prediction-stream';
import { RowRequests } from './perturbing/row-requests';
import type { ExplainRequestMessage } from './requests/messages';
import { type ChosenOutput, chooseOutput } from './requests/output-choice';
import { type Players, playersOf } from './requests/players';
import { invalid } from './requests/refuse';
import { usualDivision } from './requests/usual-division';
import type { Tensor } from './requests/tensor';

/** One row to explain. */
export interface RowParts {
  readonly message: ExplainRequestMessage;
  /** All inputs; the first dimension is 1 where they are batched. */
  readonly row: readonly Tensor[];
  /** To the row as it is, by the version that is explained. */
  readonly answer: InferResponseView;
  readonly version: VersionAnnouncement;
  readonly batched: boolean;
  readonly door: StreamParts;
  readonly call: ExplainCall;
  readonly startedAt: number;
  /** What other rows of the same call found out: values of the background, by all that they depend on. */
  readonly baseValues?: Map<string, Float64Array>;
}

/** Shapley values that are not known before the end, or for long. */
const lateMethods: ReadonlySet<string> = new Set(['exact', 'kernel_shap', 'interactions', 'owen']);

/** Between two partial answers, and two looks whether it is still the same model, ms. */
const nowAndThenMs = 250;

/** @returns shoal.explain.v1.ExplainResponse @throws ShoalError */
export async function explainRow(parts: RowParts, deps: ExplainerDeps): Promise<object> {
  const { message, row, version, batched, door, call } = parts;
  const { clock, config } = deps;
  refuseWhatIsNotServed(message);
  const output = chooseOutput(parts.answer, message.output, config.explainMaxOutputs);
  const isChosen = message.method === undefined || message.method === 'auto';
  const usual = isChosen && message.explained.length === 0 ? usualDivision(row, batched) : undefined;
  const explained = usual ? [usual.explained] : message.explained;
  const players = playersOf(row, explained, batched, config.explainMaxFeatures);
  const contents = players.inputs.map(({ name }) => row.find((one) => one.name === name)?.bytes ?? new Uint8Array());
  const background = await makeBackground(message.baseline, players, contents, {
    store: deps.backgrounds,
    maxRows: config.explainMaxBackgroundRows,
    maxBytes: config.explainOutstandingBytes,
    model: message.model_name,
    seed: message.seed,
  });
  const link = linkOf(message.link);
  const baseKey = baseKeyOf(parts, players, background, output);
  const context: MethodContext = {
    players,
    row: contents,
    output,
    batched,
    labels: version.labels?.[output.name] ?? [],
    requests: (pick) => requestsOf(parts, players, pick),
    wholeRow: row,
    twin: (options) => deps.twins.get(version, options),
    modelFile: (maxBytes) => deps.files.get(version, maxBytes),
    link,
    ends: { full: output.values.map((value) => link.apply(value)), empty: parts.baseValues?.get(baseKey) },
    background,
    masker: makeMasker(players, row, background),
    version,
    seed: message.seed,
    budget: budgetOf(message, config),
    targetError: targetErrorOf(message),
    options: message,
  };
  const { name, reason: why, running: started } = await start(message.method, context);
  const reason = usual ? `${usual.reason}; ${why}` : why;
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
    reason,
    players,
    output: running.indices ? { ...output, indices: running.indices } : output,
    labels: context.labels,
    link,
    background,
    seed: message.seed,
    usage,
    totalMs: clock.now() - parts.startedAt,
    evaluatingMs: clock.now() - evaluatingFrom,
    meanRoundTripMs: pace.meanMs,
  });
  const how = await drive({
    source: running.source,
    requests: running.requests ?? requestsOf(parts, players, output),
    open: (failed) => new PredictionStream(door, failed),
    pace,
    limits: {
      requests: config.explainOutstandingRequests,
      bytes: config.explainOutstandingBytes,
      rows: rowsPerRequest(parts, background, config.explainRowsPerRequest),
    },
    usage,
    signal: call.signal,
    progressed: nowAndThen(clock, () => {
      refuseAnother(parts, deps);
      return call.partial === undefined || tellPartial(call.partial, running, answerParts());
    }),
  }).finally(() => deps.metrics?.evaluated(name, usage.rows));
  refuseAnother(parts, deps);
  const result = running.answer();
  if (!result && how === 'deadline') throw noAnswerYet(name, usage);
  if (result && running.knowsBase)
    parts.baseValues?.set(
      baseKey,
      Float64Array.from(result.outputs, ({ baseValue }) => baseValue),
    );
  const late =
    how === 'deadline' && running.sketched
      ? [`the deadline came before ${name} had an answer: these are Shapley values of one permutation`]
      : [];
  const stopped = how === 'deadline' ? 'deadline' : undefined;
  deps.metrics?.explained(name, clock.now() - parts.startedAt);
  return respond(answerParts(), { result, partial: false, stopped, warnings: [...(running.notes ?? []), ...late] });
}

async function start(method: string | undefined, context: MethodContext): Promise<Chosen> {
  if (method === undefined || method === 'auto') return startChosen(context);
  return { name: method, reason: '', running: await methodNamed(method).start(context) };
}

function requestsOf({ message, row, batched, answer }: RowParts, players: Players, output: OutputPick): RowRequests {
  return new RowRequests({
    model: message.model_name,
    version: answer.modelVersion,
    batched,
    row,
    explained: [...players.inputs, ...players.texts],
    output,
  });
}

/** Names what the background's value depends on: its rows, what is explained of them, and all that stays as it is. */
function baseKeyOf(
  { row }: RowParts,
  { inputs, texts }: Players,
  { sha256 }: BackgroundRows,
  { name, indices }: ChosenOutput,
) {
  const hash = createHash('sha256').update(`${sha256} ${indices.join(',')} ${name}`);
  for (const tensor of row) {
    const isAbsent = [...inputs, ...texts.filter(({ mask }) => mask === undefined)].some(
      (input) => input.name === tensor.name && !input.playerOf.includes(-1),
    );
    if (!isAbsent) hash.update(tensor.name).update(tensor.bytes);
  }
  return hash.digest('hex');
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
function tellPartial(tell: (response: object) => void, running: Running, parts: AnswerParts): boolean {
  const result = running.answer();
  if (!result) return false;
  tell(
    respond(parts, {
      result: { ...result, exact: false, converged: false },
      partial: true,
      stopped: undefined,
      warnings: [],
    }),
  );
  return true;
}

/** As many as the model takes at once; whole coalitions where they fit. */
function rowsPerRequest({ message, version, batched }: RowParts, background: BackgroundRows, most: number): number {
  if (!batched) return 1;
  const asked = message.row_batch > 0 ? message.row_batch : most;
  const rows = Math.min(asked, most, version.config?.max_batch_size ?? 1);
  return rows < background.count ? rows : rows - (rows % background.count);
}

function budgetOf({ budget }: ExplainRequestMessage, config: ExplainerDeps['config']): number {
  const asked = budget?.max_evaluations ?? 0;
  if (asked > config.explainMaxEvaluations) {
    throw invalid(`budget.max_evaluations: at most ${config.explainMaxEvaluations} here, got ${asked}`);
  }
  return asked > 0 ? asked : Math.min(config.explainDefaultEvaluations, config.explainMaxEvaluations);
}

function targetErrorOf({ budget }: ExplainRequestMessage): number | undefined {
  const target = budget?.target_error ?? 0;
  if (target === 0) return undefined;
  if (target > 0 && target < 1) return target;
  throw invalid(`budget.target_error is ${target}: expected more than 0 and less than 1, a part of the values' range`);
}

function refuseWhatIsNotServed({ quality }: ExplainRequestMessage): void {
  if (!quality) return;
  if (quality.infidelity_samples + quality.sensitivity_samples > 0 || quality.deletion || quality.insertion) {
    throw new ShoalError('UNIMPLEMENTED', 'quality: measures are not served yet');
  }
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
