import type { VersionAnnouncement } from '@shoal/bus';
import type { InferResponseView } from '@shoal/protocol';
import { createHash } from 'node:crypto';
import type { BackgroundRows } from './backgrounds/background-rows';
import { makeBackground } from './backgrounds/make-background';
import type { ExplainCall, ExplainerDeps } from './explain-call';
import type { MethodContext } from './methods/method';
import { makeMasker } from './perturbing/make-masker';
import { type StreamParts, predictOnce } from './perturbing/prediction-stream';
import { RowRequests } from './perturbing/row-requests';
import { linkOf } from './requests/link';
import type { ExplainRequestMessage } from './requests/messages';
import { type ChosenOutput, chooseOutput } from './requests/output-choice';
import { type Players, playersOf } from './requests/players';
import { invalid } from './requests/refuse';
import type { Tensor } from './requests/tensor';
import { usualDivision } from './requests/usual-division';

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

/** What a method is made from, of a request. */
export interface RowContext {
  readonly context: MethodContext;
  /** How the input was divided, where nobody said how; '' = as the request has it. */
  readonly divided: string;
  /** Names what the background's value depends on. */
  readonly baseKey: string;
}

/** Whether the method is the server's choice. */
export function isAuto({ method }: ExplainRequestMessage): boolean {
  return method === undefined || method === 'auto';
}

/** @throws ShoalError INVALID_ARGUMENT, NOT_FOUND */
export async function rowContext(parts: RowParts, deps: ExplainerDeps): Promise<RowContext> {
  const { message, row, version, batched } = parts;
  const { config } = deps;
  const output = chooseOutput(parts.answer, message.output, config.explainMaxOutputs);
  const usual = isAuto(message) && message.explained.length === 0 ? usualDivision(row, batched) : undefined;
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
    requests: (pick) => {
      const all = [...players.inputs, ...players.texts];
      const pinned = { model: message.model_name, version: parts.answer.modelVersion };
      return new RowRequests({ ...pinned, batched, row, explained: all, output: pick });
    },
    predict: (one) => predictOnce(parts.door, one, parts.call.signal),
    wholeRow: row,
    twin: (options) => deps.twins.get(version, options),
    modelFile: (maxBytes) => deps.files.get(version, maxBytes, parts.call.span),
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
  return { context, divided: usual?.reason ?? '', baseKey };
}

/** The background's rows, what is explained of them, and all that stays as it is. */
function baseKeyOf(
  { row }: RowParts,
  { inputs, texts }: Players,
  { sha256 }: BackgroundRows,
  { name, indices }: ChosenOutput,
): string {
  const hash = createHash('sha256').update(`${sha256} ${indices.join(',')} ${name}`);
  for (const tensor of row) {
    const isAbsent = [...inputs, ...texts.filter(({ mask }) => mask === undefined)].some(
      (input) => input.name === tensor.name && !input.playerOf.includes(-1),
    );
    if (!isAbsent) hash.update(tensor.name).update(tensor.bytes);
  }
  return hash.digest('hex');
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
