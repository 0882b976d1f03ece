import { ShoalError } from '@shoal/core';
import { type GradientTwin, type LayerMaps, gradientName, outputWeights } from '@shoal/explain';
import { type InferResponseView, assembleInferRequest } from '@shoal/protocol';
import { fromNumbers } from '@shoal/tensor';
import type { ChosenOutput } from '../requests/output-choice';
import type { Tensor } from '../requests/tensor';
import { backgroundParameters } from './background-parameters';
import { numbersOf } from './gradient-requests';
import type { Requests } from './row-requests';

export interface LayerRequestParts {
  /** The twin's name. */
  readonly model: string;
  readonly twin: GradientTwin;
  /** Name of the tensor that is looked at. */
  readonly layer: string;
  readonly row: readonly Tensor[];
  readonly output: ChosenOutput;
  /** Element of the output that is differentiated at the moment. */
  readonly index: () => number;
  /** Told of the layer's answer. */
  readonly found: (maps: LayerMaps) => void;
}

/** Requests of the row as it is to a gradient twin that tells what a layer answers: the output's element, and the layer's maps aside. */
export class LayerRequests implements Requests {
  readonly rowBytes: number;
  readonly outputs = 1;
  readonly #parts: LayerRequestParts;

  constructor(parts: LayerRequestParts) {
    this.#parts = parts;
    this.rowBytes = parts.row.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  buffers(): Uint8Array[] {
    return [];
  }

  message(): Buffer {
    const { model, twin, layer, row, output, index } = this.#parts;
    const inputs = row.map(({ name, datatype, shape, bytes }) => ({ name, datatype, shape, contents: bytes }));
    const weights = new Float64Array(output.elements);
    weights[index()] = 1;
    const contents = fromNumbers(output.datatype, weights);
    inputs.push({ name: outputWeights, datatype: output.datatype, shape: [1, output.elements], contents });
    const outputs = [twin.output, layer, gradientName(layer)];
    return assembleInferRequest({ model, version: '', id: '', parameters: backgroundParameters, inputs, outputs });
  }

  read(view: InferResponseView, _rows: number, into: Float64Array, fromRow: number): void {
    const { twin, layer, index, found } = this.#parts;
    into[fromRow] = numbersOf(view, twin.output)[index()] as number;
    const shape = view.outputs.find(({ name }) => name === layer)?.shape ?? [];
    const [batch, channels = 0, ...sides] = shape;
    if (batch !== 1 || channels < 1 || sides.length < 1 || sides.length > 2) {
      throw new ShoalError(
        'FAILED_PRECONDITION',
        `layer '${layer}' answers [${shape.join(',')}] for one row: expected [1, channels, height, width]`,
      );
    }
    const [height, width] = sides.length === 1 ? [1, sides[0] as number] : (sides as [number, number]);
    const [activations, gradients] = [numbersOf(view, layer), numbersOf(view, gradientName(layer))];
    found({ activations, gradients, channels, height, width });
  }
}
