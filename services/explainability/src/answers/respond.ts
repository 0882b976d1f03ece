import type { StopReason } from '@shoal/explain';
import type { Answer, MethodContext, PixelMap } from '../methods/method';
import type { Usage } from '../perturbing/drive';
import type { ChosenOutput } from '../requests/output-choice';

/** What an answer is made of. */
export interface AnswerParts {
  readonly id: string;
  readonly model: string;
  readonly version: string;
  readonly method: string;
  readonly reason: string;
  readonly context: MethodContext;
  /** The elements that the answer is about. */
  readonly output: ChosenOutput;
  /** The baseline has to do with it. */
  readonly compares: boolean;
  readonly usage: Usage;
  readonly totalMs: number;
  readonly evaluatingMs: number;
  readonly meanRoundTripMs: number;
}

/** How far it is. */
export interface AnswerState {
  readonly result: Answer | undefined;
  readonly partial: boolean;
  readonly stopped: StopReason | undefined;
  /** shoal.explain.v1.Measure */
  readonly quality: readonly object[];
  readonly warnings: readonly string[];
}

/** shoal.explain.v1.ExplainResponse. */
export function respond(parts: AnswerParts, { result, partial, stopped, quality, warnings }: AnswerState): object {
  const { context, usage } = parts;
  const { players, link, background, seed } = context;
  return {
    id: parts.id,
    model_name: parts.model,
    model_version: parts.version,
    method: parts.method,
    reason: parts.reason,
    partial,
    features: players.names.map((name, at) => ({ name, input: players.inputOf[at], elements: players.sizes[at] })),
    outputs: result ? outputsOf(parts, result) : [],
    exact: stopped === undefined && (result?.exact ?? false),
    converged: stopped === undefined && (result?.converged ?? false),
    stop_reason: partial ? '' : (stopped ?? result?.stopReason ?? ''),
    usage: { evaluations: result?.evaluations ?? 0, rows: usage.rows, requests: usage.requests },
    seed,
    link: { function: link.name === 'logit' ? 'LOGIT' : 'IDENTITY', epsilon: link.epsilon, clamped: link.clamped },
    background: {
      name: background.name,
      sha256: background.sha256,
      rows: background.count,
      source: background.source,
      model: '',
      inputs: [...players.inputs, ...players.texts].map(({ name }) => name),
    },
    warnings: [...(parts.compares ? background.warnings : []), ...warningsOf(parts), ...warnings],
    timings: {
      total_ms: parts.totalMs,
      evaluating_ms: parts.evaluatingMs,
      mean_round_trip_ms: parts.meanRoundTripMs,
    },
    quality,
    divisions: players.inputs
      .filter(({ isSegmented }) => isSegmented)
      .map(({ name, playerOf }) => ({ input: name, feature_of: [...playerOf] })),
    ...result?.fields,
  };
}

function outputsOf({ output, context: { labels } }: AnswerParts, result: Answer): object[] {
  return result.outputs.map((one, at) => ({
    output: output.name,
    index: output.indices[at],
    label: labels[output.indices[at] as number] ?? '',
    values: [...one.values],
    standard_errors: [...(one.standardErrors ?? [])],
    base_value: one.baseValue,
    output_value: one.outputValue,
    additivity_gap: one.additivityGap,
    interactions: [...(result.interactions?.[at] ?? [])],
    interaction_errors: [...(result.interactionErrors?.[at] ?? [])],
    map: mapOf(result.maps?.[at]),
  }));
}

function mapOf(map: PixelMap | undefined): object | null {
  if (!map) return null;
  const { height, width, values, standardErrors = [] } = map;
  return { height, width, values: [...values], standard_errors: [...standardErrors] };
}

function warningsOf({ context: { link }, output }: AnswerParts): string[] {
  if (link.outside > 0) {
    return [
      `link: the logit is of probabilities, but output '${output.name}' had ${link.outside} values beyond 0 and 1`,
    ];
  }
  if (link.clamped === 0) return [];
  return [
    `link: ${link.clamped} values nearer to 0 or 1 than ${link.epsilon} were clamped, which bounds the attributions`,
  ];
}
