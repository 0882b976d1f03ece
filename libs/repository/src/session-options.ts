import type { ModelConfig } from '@shoal/protocol';
import type { ModelInstance } from './instances';
import { maxThreads } from './limits';
import { type ProviderCandidate, providerCandidates } from './providers';
import { invalid } from './refuse';

/** Options for `InferenceSession.create` of onnxruntime-node, as plain JSON; what is absent is ONNX Runtime's default. */
export interface SessionOptions {
  readonly graphOptimizationLevel: 'disabled' | 'basic' | 'extended' | 'all';
  readonly executionMode: 'sequential' | 'parallel';
  readonly intraOpNumThreads?: number;
  readonly interOpNumThreads?: number;
  readonly enableCpuMemArena?: boolean;
  readonly enableMemPattern?: boolean;
  /** Session config entries: `session.x.y` is `{ session: { 'x.y': … } }`. */
  readonly extra?: { readonly session: Readonly<Record<string, string>> };
}

/** How an instance's session is to be made and run. */
export interface SessionPlan {
  readonly options: SessionOptions;
  /** Execution providers, to be tried one at a time and in this order until one makes a session; never empty. */
  readonly providers: readonly ProviderCandidate[];
  /** `extra` of every run's options, if any. */
  readonly runExtra?: { readonly memory: Readonly<Record<string, string>> };
  /** For the log: what the config asks for and will not get. */
  readonly warnings: readonly string[];
}

/** Triton's `optimization { graph { level } }`: an enumeration, not a scale. */
const graphLevels: Readonly<Record<number, SessionOptions['graphOptimizationLevel']>> = {
  [-1]: 'basic',
  1: 'extended',
  2: 'disabled',
};

/**
 * Derives session options from a config's `optimization` and `parameters`, named as in Triton's ONNX Runtime backend.
 * Throws INVALID_ARGUMENT for a value that cannot be read; what cannot be done here is left out with a warning.
 */
export function sessionOptionsFrom(config: ModelConfig, instance: Pick<ModelInstance, 'kind' | 'device'>): SessionPlan {
  const warnings: string[] = [];
  const parameter = (name: string): string | undefined =>
    Object.hasOwn(config.parameters, name) ? config.parameters[name]?.string_value : undefined;
  const intraOpNumThreads = threads('intra_op_thread_count', parameter('intra_op_thread_count'));
  const interOpNumThreads = threads('inter_op_thread_count', parameter('inter_op_thread_count'));
  const enableCpuMemArena = flag('enable_mem_arena', parameter('enable_mem_arena'));
  const enableMemPattern = flag('enable_mem_pattern', parameter('enable_mem_pattern'));
  const session = sessionEntries(config, warnings);
  const shrinkage = parameter('memory.enable_memory_arena_shrinkage');
  warnOfCudaParameters(config, instance, warnings);
  return {
    options: {
      graphOptimizationLevel: graphLevels[config.optimization?.graph?.level ?? 0] ?? 'all',
      executionMode: executionMode(parameter('execution_mode')),
      ...(intraOpNumThreads === undefined ? {} : { intraOpNumThreads }),
      ...(interOpNumThreads === undefined ? {} : { interOpNumThreads }),
      ...(enableCpuMemArena === undefined ? {} : { enableCpuMemArena }),
      ...(enableMemPattern === undefined ? {} : { enableMemPattern }),
      ...(session === undefined ? {} : { extra: { session } }),
    },
    providers: providerCandidates(config, instance, warnings),
    ...(shrinkage === undefined ? {} : { runExtra: { memory: { enable_memory_arena_shrinkage: shrinkage } } }),
    warnings,
  };
}

/** 0 leaves the number to ONNX Runtime. */
function threads(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = integer(name, text);
  if (count > maxThreads) throw invalid(`${name} must be at most ${maxThreads}, got ${count}`);
  return count > 0 ? count : undefined;
}

function executionMode(text: string | undefined): SessionOptions['executionMode'] {
  const mode = text === undefined ? 0 : integer('execution_mode', text);
  if (mode !== 0 && mode !== 1)
    throw invalid(
      `Invalid configuration value provided. Expected values for execution_mode are 0 or 1 but got ${mode}.`,
    );
  return mode === 0 ? 'sequential' : 'parallel';
}

function integer(name: string, text: string): number {
  if (!/^\s*[+-]?\d{1,9}\s*$/.test(text)) throw invalid(`failed to convert ${name} '${clip(text)}' to integral number`);
  return Number(text);
}

function flag(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  const lower = text.toLowerCase();
  if (lower === 'true' || lower === '1') return true;
  if (lower === 'false' || lower === '0') return false;
  throw invalid(`failed to convert ${name} '${clip(text)}' to boolean value`);
}

/** `session.*` parameters; but one that names a file or folder could reach outside of the model's, so it is left out. */
function sessionEntries(config: ModelConfig, warnings: string[]): Record<string, string> | undefined {
  const entries: [string, string][] = [];
  for (const [key, { string_value: value }] of Object.entries(config.parameters)) {
    if (!key.startsWith('session.')) continue;
    if (/path|file|folder|director|librar/i.test(key))
      warnings.push(`parameter '${clip(key)}' of model '${config.name}' is ignored: it names a file or folder`);
    else entries.push([key.slice('session.'.length), value]);
  }
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

const cudaParameters = [
  'cudnn_conv_algo_search',
  'gpu_mem_limit',
  'arena_extend_strategy',
  'do_copy_in_default_stream',
];

function warnOfCudaParameters(config: ModelConfig, instance: Pick<ModelInstance, 'kind'>, warnings: string[]): void {
  if (instance.kind !== 'KIND_GPU') return;
  for (const name of cudaParameters) {
    if (Object.hasOwn(config.parameters, name))
      warnings.push(
        `parameter '${name}' of model '${config.name}' is ignored: ONNX Runtime for Node.js does not take it`,
      );
  }
}

function clip(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
