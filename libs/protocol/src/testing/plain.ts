import type { InferParameters } from '../parameters';
import type { InferRequestView } from '../scan-request';
import type { InferResponseView } from '../scan-response';
import type { TensorHeader } from '../scan-tensor';
import { decodePlain } from './schema';

/* A scan's result in the shape that `decodePlain` gives the same message, to compare the two. */

function plainParameters(parameters: InferParameters): Record<string, unknown> {
  const plain: [string, unknown][] = [];
  for (const [key, parameter] of parameters) {
    if (parameter.kind === 'none') plain.push([key, {}]);
    else {
      const field = `${parameter.kind}_param`;
      const exact = parameter.kind === 'int64' || parameter.kind === 'uint64';
      const value = exact ? parameter.value.toString() : parameter.value;
      plain.push([key, { [field]: value, parameter_choice: field }]);
    }
  }
  return Object.fromEntries(plain);
}

function plainTensor(tensor: TensorHeader): Record<string, unknown> {
  return {
    name: tensor.name,
    datatype: tensor.datatype,
    shape: tensor.shape.map(String),
    parameters: plainParameters(tensor.parameters),
    contents: tensor.contents === undefined ? null : decodePlain('InferTensorContents', tensor.contents),
  };
}

export function plainRequest(view: InferRequestView): Record<string, unknown> {
  return {
    model_name: view.modelName,
    model_version: view.modelVersion,
    id: view.id,
    parameters: plainParameters(view.parameters),
    inputs: view.inputs.map(plainTensor),
    outputs: view.outputs.map((output) => ({
      name: output.name,
      parameters: plainParameters(output.parameters),
    })),
    raw_input_contents: view.rawInputContents.map((bytes) => [...bytes]),
  };
}

export function plainResponse(view: InferResponseView): Record<string, unknown> {
  return {
    model_name: view.modelName,
    model_version: view.modelVersion,
    id: view.id,
    parameters: plainParameters(view.parameters),
    outputs: view.outputs.map(plainTensor),
    raw_output_contents: view.rawOutputContents.map((bytes) => [...bytes]),
  };
}
