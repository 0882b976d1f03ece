import type { RequestOptions, SequenceParameters } from './checked-request';
import { parameterType, priorityNegative, reservedParameter } from './error-texts';
import { type InferParameter, type InferParameters, noParameters } from './parameters';

const noSequence: SequenceParameters = { id: 0, start: false, end: false };
const noOptions: RequestOptions = {
  priority: 0,
  queueTimeoutUs: 0,
  sequence: noSequence,
  emptyFinal: false,
  background: false,
  why: false,
  parameters: noParameters,
};

/** Reads the parameters of a request, in the order in which they were sent. Throws INVALID_ARGUMENT in Triton's words. */
export function checkParameters(parameters: InferParameters): RequestOptions {
  if (parameters.size === 0) return noOptions;
  let { priority, queueTimeoutUs, emptyFinal, background, why } = noOptions;
  let { id, start, end } = noSequence;
  let others: Map<string, InferParameter> | undefined;
  for (const [key, parameter] of parameters) {
    switch (key) {
      case 'sequence_id':
        id = sequenceId(parameter);
        break;
      case 'sequence_start':
        start = flag(key, parameter);
        break;
      case 'sequence_end':
        end = flag(key, parameter);
        break;
      case 'priority':
        priority = priorityOf(parameter);
        break;
      case 'timeout':
        if (parameter.kind !== 'int64') throw parameterType(key, 'int64_param');
        // Negative is no time at all to Triton's unsigned clock: longer than any default, so without effect.
        queueTimeoutUs = Math.max(0, clampSafe(parameter.value));
        break;
      case 'triton_enable_empty_final_response':
        emptyFinal = flag(key, parameter);
        break;
      case 'shoal.background':
        background = flag(key, parameter);
        break;
      case 'shoal.why':
        why = flag(key, parameter);
        break;
      default:
        if (key.startsWith('triton_')) throw reservedParameter();
        if (parameter.kind === 'uint64' || parameter.kind === 'none') {
          throw parameterType(key, 'int64_param, bool_param, or string_param');
        }
        (others ??= new Map()).set(key, parameter);
    }
  }
  return {
    priority,
    queueTimeoutUs,
    sequence: { id, start, end },
    emptyFinal,
    background,
    why,
    parameters: others ?? noParameters,
  };
}

function flag(key: string, parameter: InferParameter): boolean {
  if (parameter.kind !== 'bool') throw parameterType(key, 'bool_param');
  return parameter.value;
}

/** An int64 id is the same 64 bits as an unsigned one. */
function sequenceId(parameter: InferParameter): number | bigint | string {
  if (parameter.kind === 'string') return parameter.value;
  if (parameter.kind !== 'int64') throw parameterType('sequence_id', 'int64_param or string_param');
  return parameter.value < 0 ? BigInt.asUintN(64, BigInt(parameter.value)) : parameter.value;
}

function priorityOf(parameter: InferParameter): number {
  if (parameter.kind !== 'int64' && parameter.kind !== 'uint64') {
    throw parameterType('priority', 'int64_param or uint64_param');
  }
  if (parameter.value < 0) throw priorityNegative();
  return clampSafe(parameter.value);
}

/** A bigint here is beyond 2^53 in size: far beyond any level or time that could matter. */
function clampSafe(value: number | bigint): number {
  if (typeof value === 'number') return value;
  return value < 0n ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
}
