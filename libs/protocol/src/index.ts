export { appendParameters } from './append-parameters';
export { type InferRequestParts, type RequestInput, assembleInferRequest } from './assemble-request';
export {
  type InferResponseParts,
  type OutputContents,
  ResponseHead,
  type ResponseHeadParts,
  type ResponseOutput,
  assembleInferResponse,
  maxMessageBytes,
} from './assemble-response';
export { checkInferRequest } from './check-request';
export type {
  CheckOptions,
  CheckedInput,
  CheckedOutput,
  CheckedRequest,
  RequestOptions,
  SequenceParameters,
  SharedMemory,
  SharedMemoryReference,
} from './checked-request';
export { type Classification, classify } from './classify';
export { compileSignature } from './compile-signature';
export * as errorTexts from './error-texts';
export type { ModelConfig__Output as ModelConfig } from './generated/inference/ModelConfig';
export { parseModelVersion } from './model-version';
export { type InferParameter, type InferParameters, maxParameters, noParameters } from './parameters';
export { type InferRequestView, type RequestedOutput, maxTensors, scanInferRequest } from './scan-request';
export { type InferResponseView, scanInferResponse } from './scan-response';
export { type StreamResponseView, scanStreamResponse } from './scan-stream-response';
export { type TensorHeader, maxDims } from './scan-tensor';
export type { BatchInput, BatchInputKind, RaggedPlan, ScatteredOutput } from './ragged-plan';
export type { ModelSignature, TensorSpec } from './signature';
export {
  type StreamFailure,
  emptyFinalResponse,
  finalResponseParameters,
  notFinalResponseParameters,
  streamError,
  wrapStreamResponse,
} from './stream-response';
