/** How an answer differs from the one that Triton gave, and why that is right. */
export interface Difference {
  readonly reason: string;
  readonly status?: string;
  /** The text instead of the recorded one. */
  readonly details?: string;
  /** Changes the recorded answers into the expected ones. `served` are the models of the replay's repository. */
  readonly adjust?: (recorded: readonly unknown[], served: readonly string[]) => readonly unknown[];
}

const nul = 'ONNX Runtime for Node.js cuts a string at a NUL byte; refusing it is better than to change it silently';
const execution = 'the text of a failed run is the backend’s own';
const executionText =
  "onnx runtime error: Non-zero status code returned while running Gather node. Name:'' " +
  'Status Message: indices element out of data bounds, idx=5 must be within the inclusive range [-1,0]';
const nulText =
  "[request id: <id_unknown>] string element 1 of input 'INPUT0' for model 'identity_bytes' holds a NUL byte, " +
  "which ONNX Runtime's strings cannot carry";

const onnxPlatform: Difference = {
  reason: 'an ONNX model names its platform; the recorded model ran on the python backend, which has none',
  adjust: (recorded) =>
    recorded.map((answer) => {
      const { config } = answer as { config: object };
      return { config: { ...config, platform: 'onnxruntime_onnx' } };
    }),
};

const servedOnly: Difference = {
  reason: 'the index lists the models of the repository, and the replay’s has no models that cannot be served yet',
  adjust: (recorded, served) =>
    recorded.map((answer) => {
      const { models } = answer as { models: { name: string }[] };
      return { models: models.filter(({ name }) => served.includes(name)) };
    }),
};

/** Every case whose answer is not Triton's. */
export const differences: Readonly<Record<string, Difference>> = {
  infer_bytes: { reason: nul, status: 'INVALID_ARGUMENT', details: nulText },
  infer_bytes_typed: { reason: nul, status: 'INVALID_ARGUMENT', details: nulText },
  err_execution: { reason: execution, details: executionText },
  stream_execution_error: {
    reason: execution,
    adjust: (recorded) => recorded.map((answer) => ({ ...(answer as object), error_message: executionText })),
  },
  stream_execution_error_grpc_mode: { reason: execution, details: executionText },
  model_config_simple: onnxPlatform,
  model_config_batcher_pref: onnxPlatform,
  model_config_batcher_delay: onnxPlatform,
  model_config_queue_timeout: onnxPlatform,
  model_config_queue_prio: onnxPlatform,
  model_config_cached: onnxPlatform,
  index: servedOnly,
  index_ready: servedOnly,
  index_after_unload: servedOnly,
  cuda_shm_register: {
    reason: 'Node.js cannot open another process’s GPU memory; on a machine with CUDA Triton would accept it',
    status: 'UNIMPLEMENTED',
    details: 'CUDA shared memory is not supported: the server cannot open memory of another process on a GPU',
  },
  err_no_such_method: {
    reason: 'the text is the gRPC library’s',
    details: 'The server does not implement the method /inference.GRPCInferenceService/NoSuchMethod',
  },
};

const sequences = 'sequence batching is not served yet';
const ensembles = 'ensembles are not served yet';
const decoupled = 'decoupled answers are not served yet';

/** Cases that cannot be replayed yet. */
export const pending: Readonly<Record<string, string>> = {
  infer_ensemble: ensembles,
  model_metadata_ensemble_simple: ensembles,
  model_config_ensemble_simple: ensembles,
  infer_sequence_start: sequences,
  infer_sequence_middle: sequences,
  infer_sequence_end: sequences,
  err_sequence_no_start: sequences,
  err_sequence_no_id: sequences,
  err_sequence_batch: sequences,
  model_metadata_simple_dyna_sequence: sequences,
  model_config_simple_dyna_sequence: sequences,
  err_decoupled_unary: decoupled,
  model_metadata_repeat_int32: decoupled,
  model_config_repeat_int32: decoupled,
  stream_decoupled: decoupled,
  stream_decoupled_empty_final: decoupled,
};

const noBf16 = 'ONNX Runtime for Node.js has no bfloat16 tensors: such a model is refused when it is loaded';

/** Cases that cannot be replayed on this backend. */
export const outOfReach: Readonly<Record<string, string>> = {
  infer_bf16: noBf16,
  model_metadata_identity_bf16: noBf16,
};
