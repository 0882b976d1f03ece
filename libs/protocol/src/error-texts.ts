import { type ErrorCode, ShoalError } from '@shoal/core';

/*
 * What clients are told, in Triton's words: its users, clients and monitoring recognise them. One function per refusal;
 * each returns the error to throw. Names that came from the client are clipped: texts travel in HTTP/2 headers, which
 * have a limit of a few kilobytes, and a name that has none would cost the client the whole text.
 */

const longestName = 256;

/** Names listed in one text at most. */
const mostNames = 64;

/** `name` as it may stand in a text. */
export function clip(name: string): string {
  return name.length <= longestName ? name : `${name.slice(0, longestName)}…`;
}

const refuse = (code: ErrorCode, text: string): ShoalError => new ShoalError(code, text);
const invalid = (text: string): ShoalError => refuse('INVALID_ARGUMENT', text);

/** Puts the client's request id before a text, as the checks of an assembled request and the queue do. */
export function withRequestId(requestId: string, text: string): string {
  return `[request id: ${requestId === '' ? '<id_unknown>' : clip(requestId)}] ${text}`;
}

const shapeText = (shape: readonly number[]): string => `[${shape.join(',')}]`;

// Model look-up.

export const unknownModel = (model: string): ShoalError =>
  refuse('NOT_FOUND', `Request for unknown model: '${clip(model)}' is not found`);

export const unknownVersion = (model: string, version: number | string): ShoalError =>
  refuse('NOT_FOUND', `Request for unknown model: '${clip(model)}' version ${version} is not found`);

/** Every version is unloaded and the client named none. */
export const noAvailableVersions = (model: string): ShoalError =>
  refuse('NOT_FOUND', `Request for unknown model: '${clip(model)}' has no available versions`);

/** It served, and nobody asked for its end: whoever served it is gone. Not Triton's, which has no other machines. */
export const unserved = (model: string): ShoalError =>
  refuse('UNAVAILABLE', `model '${clip(model)}' is known, but no model-worker serves it now; try again later`);

/** The named version is loading, or was unloaded. */
export const versionNotReady = (model: string, version: number | string): ShoalError =>
  refuse('UNAVAILABLE', `Request for unknown model: '${clip(model)}' version ${version} is not at ready state`);

export const badVersion = (text: string): ShoalError =>
  invalid(
    `failed to get model version from specified version string '${clip(text)}' (details: stol), version should be an integral value > 0`,
  );

/** ModelStatistics of a model that is not there. */
export const statisticsModelUnavailable = (model: string): ShoalError =>
  invalid(`requested model '${clip(model)}' is not available`);

export const statisticsVersionUnavailable = (model: string): ShoalError =>
  invalid(`requested model version is not available for model '${clip(model)}'`);

export const decoupledUnary = (): ShoalError =>
  refuse('UNIMPLEMENTED', "ModelInfer RPC doesn't support models with decoupled transaction policy");

// The queue.

export const queueFull = (requestId: string): ShoalError =>
  refuse('UNAVAILABLE', withRequestId(requestId, 'Exceeds maximum queue size'));

export const queueTimeout = (): ShoalError => refuse('UNAVAILABLE', 'Request timeout expired');

// Sequences.

export const sequenceNeedsStart = (model: string, id: number | bigint | string): ShoalError =>
  invalid(
    `inference request for sequence ${id} to model '${clip(model)}' must specify the START flag on the first request of the sequence`,
  );

export const sequenceNeedsId = (model: string): ShoalError =>
  invalid(`inference request to model '${clip(model)}' must specify a non-zero or non-empty correlation ID`);

export const sequenceNeedsBatchOne = (model: string): ShoalError =>
  invalid(
    `inference request to model '${clip(model)}' must specify batch-size 1 due to requirements of sequence batcher`,
  );

// Parameters.

export const parameterType = (key: string, expected: string): ShoalError =>
  invalid(`invalid value type for '${clip(key)}' parameter, expected ${expected}.`);

export const priorityNegative = (): ShoalError => invalid("invalid value for 'priority', expected value >= 0.");

export const reservedParameter = (): ShoalError =>
  invalid(
    "parameter keys starting with 'triton_' are reserved for Triton usage. Only the following keys starting with 'triton_' are allowed: triton_enable_empty_final_response",
  );

export const classificationType = (): ShoalError =>
  invalid("invalid value type for 'classification' parameter, expected int64_param");

export const classificationValue = (): ShoalError =>
  invalid("invalid value for 'classification' parameter, expected >= 0");

export const classificationUnsupported = (datatype: string): ShoalError =>
  invalid(`class result not available for output due to unsupported type '${datatype}'`);

// Shared memory.

export const sharedMemoryUnknown = (region: string): ShoalError =>
  refuse('NOT_FOUND', `Unable to find shared memory region: '${clip(region)}'`);

export const sharedMemoryType = (key: string, tensor: string, expected: string): ShoalError =>
  invalid(`invalid value type for '${key}' parameter for tensor '${clip(tensor)}', expected ${expected}.`);

export const sharedMemoryWithoutRegion = (key: string, tensor: string): ShoalError =>
  invalid(`'${key}' can not be specified without 'shared_memory_region' parameter for tensor '${clip(tensor)}'`);

export const sharedMemoryWithoutSize = (tensor: string): ShoalError =>
  invalid(
    `'shared_memory_byte_size' must be specified along with 'shared_memory_region' parameter for tensor '${clip(tensor)}'`,
  );

export const sharedMemoryNegative = (key: string, tensor: string): ShoalError =>
  invalid(`invalid value for '${key}' parameter for tensor '${clip(tensor)}', expected >= 0.`);

export const sharedMemoryWithContents = (input: string, model: string): ShoalError =>
  invalid(
    `unexpected 'content' provided when using shared memory for input tensor '${clip(input)}' for model '${model}'`,
  );

export const sharedMemoryWithClassification = (): ShoalError =>
  invalid("output can't set both 'shared_memory_region' and 'classification'");

export const sharedMemoryTooSmall = (output: string, byteSize: number, needed: number): ShoalError =>
  refuse(
    'INTERNAL',
    `shared memory size specified with the request for output '${output}' (${byteSize} bytes) should be at least ${needed} bytes to hold the results`,
  );

// Where an input's data come from.

export const contentsAndRaw = (input: string, model: string): ShoalError =>
  invalid(
    `contents field must not be specified when using raw_input_contents for '${clip(input)}' for model '${model}'`,
  );

export const contentsType = (input: string, model: string, given: string, expected: string): ShoalError =>
  invalid(
    `unexpected explicit tensor data for input tensor '${clip(input)}' for model '${model}' of type '${given}', expected datatype '${expected}'`,
  );

export const contentsTwice = (input: string, model: string): ShoalError =>
  invalid(
    `unexpected explicit tensor data for input tensor '${clip(input)}' for model '${model}', binary data was already supplied.`,
  );

export const noData = (input: string, model: string): ShoalError =>
  invalid(`unable to find data for input tensor '${clip(input)}' for model '${model}' in request.`);

// The assembled request against the model.

export const inputTwice = (id: string, input: string): ShoalError =>
  invalid(withRequestId(id, `input '${clip(input)}' already exists in request`));

export const unexpectedInput = (input: string, model: string): ShoalError =>
  invalid(`unexpected inference input '${clip(input)}' for model '${model}'`);

export const unexpectedOutput = (output: string, model: string): ShoalError =>
  invalid(`unexpected inference output '${clip(output)}' for model '${model}'`);

/** `given` and `missing` are names; `least` < `most` where the model has optional inputs. */
export function inputCount(
  id: string,
  model: string,
  least: number,
  most: number,
  given: readonly string[],
  missing: readonly string[],
): ShoalError {
  const expected =
    least === most ? `expected ${most} inputs` : `expected number of inputs between ${least} and ${most}`;
  const list = (names: readonly string[]): string =>
    names
      .slice(0, mostNames)
      .map((name) => `'${clip(name)}'`)
      .join(',');
  // With none missing the list lacks its opening bracket; Triton says so, and so do we.
  const lacking = missing.length === 0 ? ']' : `[${list(missing)}]`;
  return invalid(
    withRequestId(
      id,
      `${expected} but got ${given.length} inputs for model '${model}'. Got input(s) [${list(given)}], but missing required input(s) ${lacking}. Please provide all required input(s).`,
    ),
  );
}

export const noShape = (id: string, input: string, model: string): ShoalError =>
  invalid(withRequestId(id, `input '${input}' has no shape but model requires batch dimension for '${model}'`));

export const batchMismatch = (id: string, input: string, model: string): ShoalError =>
  invalid(withRequestId(id, `input '${input}' batch size does not match other inputs for '${model}'`));

export const batchTooLarge = (id: string, model: string, most: number): ShoalError =>
  invalid(withRequestId(id, `inference request batch-size must be <= ${most} for '${model}'`));

export const batchEmpty = (id: string, model: string): ShoalError =>
  invalid(withRequestId(id, `inference request batch-size must be >= 1 for '${model}'`));

export const dataTypeMismatch = (
  id: string,
  input: string,
  model: string,
  given: string,
  expected: string,
): ShoalError =>
  invalid(
    withRequestId(id, `inference input '${input}' data-type is '${given}', but model '${model}' expects '${expected}'`),
  );

export const dimUnspecified = (id: string, input: string, model: string, shape: readonly number[]): ShoalError =>
  invalid(
    withRequestId(
      id,
      `All input dimensions should be specified for input '${input}' for model '${model}', got ${shapeText(shape)}`,
    ),
  );

const batchNote =
  'NOTE: Setting a non-zero max_batch_size in the model config requires a batch dimension to be prepended to each input shape. If you want to specify the full shape including the batch dim in your input dims config, try setting max_batch_size to zero. See the model configuration docs for more info on max_batch_size.';

/** `expected` without the batch dimension. */
export const shapeMismatch = (
  id: string,
  input: string,
  model: string,
  expected: readonly number[],
  batches: boolean,
  given: readonly number[],
): ShoalError =>
  invalid(
    withRequestId(
      id,
      `unexpected shape for input '${input}' for model '${model}'. Expected ${shapeText(batches ? [-1, ...expected] : expected)}, got ${shapeText(given)}. ${batches ? batchNote : ''}`,
    ),
  );

export const byteSizeMismatch = (
  id: string,
  input: string,
  model: string,
  expected: number | bigint,
  given: number,
): ShoalError =>
  invalid(
    withRequestId(
      id,
      `input byte size mismatch for input '${input}' for model '${model}'. Expected ${expected}, got ${given}`,
    ),
  );

/** Not Triton's, which has no such bound. */
export const requestTooLarge = (size: number, limit: number): ShoalError =>
  refuse(
    'RESOURCE_EXHAUSTED',
    `the request has ${size} bytes in its inputs, more than the ${limit} that this server holds at a time`,
  );

// Strings.

export const stringsTooFew = (
  id: string,
  input: string,
  model: string,
  expected: number | bigint,
  given: number,
): ShoalError =>
  invalid(
    withRequestId(
      id,
      `expected ${expected} string elements for inference input '${input}' for model '${model}', got ${given}`,
    ),
  );

export const stringsTooMany = (id: string, input: string, model: string, expected: number): ShoalError =>
  invalid(
    withRequestId(
      id,
      `unexpected number of string elements ${expected + 1} for inference input '${input}' for model '${model}', expecting ${expected}`,
    ),
  );

export const stringLengthCut = (id: string, input: string, model: string, available: number): ShoalError =>
  invalid(
    withRequestId(
      id,
      `incomplete string length indicator for inference input '${input}' for model '${model}', expecting 4 bytes but only ${available} bytes available. Please make sure the string length indicator is in one buffer.`,
    ),
  );

export const stringCut = (input: string, expected: number, available: number): ShoalError =>
  invalid(
    `incomplete string data for inference input '${input}', expecting string of length ${expected} but only ${available} bytes available`,
  );

/** Not Triton's: ONNX Runtime for Node holds strings as JavaScript does, up to the first NUL. */
export const stringUnfit = (
  id: string,
  input: string,
  model: string,
  element: number,
  fault: 'NUL' | 'UTF-8',
): ShoalError =>
  invalid(
    withRequestId(
      id,
      `string element ${element} of input '${input}' for model '${model}' ${fault === 'NUL' ? 'holds a NUL byte' : 'is not valid UTF-8'}, which ONNX Runtime's strings cannot carry`,
    ),
  );

// Responses.

export const responseTooLarge = (size: number, limit: number): ShoalError =>
  refuse('RESOURCE_EXHAUSTED', `Response has byte size ${size} which exceeds gRPC's byte size limit ${limit}.`);
