import { type InferResponseView, assembleInferRequest } from '@shoal/protocol';
import { ShoalError } from '@shoal/core';
import { type GradientTwin, gradientName, outputWeights } from '@shoal/explain';
import { elementSize, fromNumbers, toNumbers } from '@shoal/tensor';
import type { ChosenOutput } from '../requests/output-choice';
import type { ExplainedInput } from '../requests/players';
import type { Tensor } from '../requests/tensor';
import { backgroundParameters } from './background-parameters';
import type { Requests } from './row-requests';

export interface GradientRequestParts {
  /** The twin's name. */
  readonly model: string;
  readonly twin: GradientTwin;
  readonly batched: boolean;
  readonly row: readonly Tensor[];
  readonly explained: readonly ExplainedInput[];
  readonly output: ChosenOutput;
  /** Element of the output that is differentiated at the moment. */
  readonly index: () => number;
}

/** Requests to a gradient twin: of each row come the output's element, then its gradient by each explained element. */
export class GradientRequests implements Requests {
  readonly rowBytes: number;
  readonly outputs: number;
  readonly #parts: GradientRequestParts;

  constructor(parts: GradientRequestParts) {
    this.#parts = parts;
    this.rowBytes = parts.row.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.outputs = 1 + parts.explained.reduce((sum, { elements }) => sum + elements, 0);
  }

  buffers(rows: number): Uint8Array[] {
    return this.#parts.explained.map(
      ({ datatype, elements }) => new Uint8Array(rows * elements * elementSize(datatype)),
    );
  }

  message(buffers: readonly Uint8Array[], from: number, rows: number): Buffer {
    const { model, twin, row, explained, output, batched, index } = this.#parts;
    const inputs = row.map(({ name, datatype, shape, bytes }) => {
      const at = explained.findIndex((input) => input.name === name);
      const size = bytes.length;
      const contents =
        at < 0
          ? Buffer.concat(Array.from({ length: rows }, () => bytes))
          : (buffers[at] as Uint8Array).subarray(from * size, (from + rows) * size);
      return { name, datatype, shape: batched ? [rows, ...shape.slice(1)] : shape, contents };
    });
    const weights = new Float64Array(rows * output.elements);
    for (let at = 0; at < rows; at += 1) weights[at * output.elements + index()] = 1;
    const contents = fromNumbers(output.datatype, weights);
    inputs.push({ name: outputWeights, datatype: output.datatype, shape: [rows, output.elements], contents });
    const outputs = [twin.output, ...explained.map(({ name }) => gradientName(name))];
    return assembleInferRequest({ model, version: '', id: '', parameters: backgroundParameters, inputs, outputs });
  }

  read(view: InferResponseView, rows: number, into: Float64Array, fromRow: number): void {
    const { twin, explained, output, index } = this.#parts;
    const values = numbersOf(view, twin.output);
    const own = index();
    for (let row = 0; row < rows; row += 1) {
      into[(fromRow + row) * this.outputs] = values[row * output.elements + own] as number;
    }
    let column = 1;
    for (const { name, elements } of explained) {
      const gradients = numbersOf(view, gradientName(name));
      for (let row = 0; row < rows; row += 1) {
        into.set(gradients.subarray(row * elements, (row + 1) * elements), (fromRow + row) * this.outputs + column);
      }
      column += elements;
    }
  }
}

/** A gradient twin's answer of a floating-point type. @throws ShoalError INTERNAL */
export function numbersOf({ outputs, rawOutputContents }: InferResponseView, name: string): Float64Array {
  const at = outputs.findIndex((output) => output.name === name);
  const raw = rawOutputContents[at];
  const datatype = outputs[at]?.datatype;
  if (raw && (datatype === 'FP32' || datatype === 'FP64' || datatype === 'FP16')) return toNumbers(datatype, raw);
  throw new ShoalError('INTERNAL', 'a gradient twin answered without a gradient');
}
