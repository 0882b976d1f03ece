import { ShoalError } from '@shoal/core';
import { type LayerMaps, gradCam, lastConvolution, resample } from '@shoal/explain';
import type { Ask, AskSource } from '../perturbing/ask';
import { LayerRequests } from '../perturbing/layer-requests';
import type { ImageView } from '../requests/image-view';
import type { ExplainedInput } from '../requests/players';
import { invalid } from '../requests/refuse';
import type { Method, MethodContext, PixelMap, Running } from './method';
import { imageInput, imageOfInput, meanByPlayer } from './pixels';

/** What a convolution sees that speaks for an output. */
export const camMethods: readonly Method[] = [
  {
    name: 'grad_cam',
    summary: 'where a convolution’s maps, each weighted by its mean gradient, speak for the output (Grad-CAM)',
    needs: 'gradients',
    answers: 'map',
    compares: false,
    start,
  },
];

/** @throws ShoalError INVALID_ARGUMENT, FAILED_PRECONDITION; as the twin is made and loaded */
async function start(context: MethodContext): Promise<Running> {
  const { output, link, wholeRow, options } = context;
  if (link.name !== 'identity') throw invalid('gradients are of the output itself: link must be IDENTITY');
  const input = imageInput(context, 'grad_cam');
  const { layer: asked = '', signed = false } = options.grad_cam ?? {};
  const layer = asked === '' ? lastConvolution(await context.modelFile(), output.name) : asked;
  if (layer === undefined) {
    throw new ShoalError(
      'FAILED_PRECONDITION',
      `grad_cam: there is no convolution between the model’s inputs and output '${output.name}': name another layer (grad_cam.layer)`,
    );
  }
  const { model, twin } = await context.twin({ output: output.name, at: [layer] });
  const found: LayerMaps[] = [];
  const source = new OnePerOutput(output.indices.length);
  const requests = new LayerRequests({
    ...{ model, twin, layer, row: wholeRow, output },
    index: () => output.indices[source.told] as number,
    found: (maps) => found.push(maps),
  });
  return {
    source,
    requests,
    notes: [`grad_cam looks at layer '${layer}'`],
    answer() {
      if (!source.done) return undefined;
      const maps = found.map((one) => mapOf(input, one, signed));
      return {
        outputs: maps.map(({ map, view }, at) => ({
          values: meanByPlayer(context.players, input, view, map.values),
          standardErrors: undefined,
          baseValue: 0,
          outputValue: context.ends.full[at] as number,
          additivityGap: 0,
        })),
        maps: maps.map(({ map }) => map),
        exact: true,
        converged: true,
        stopReason: 'exact',
        evaluations: maps.length,
      };
    },
  };
}

/** One row for each element of the output, one after the other: answers are read by what is differentiated at the moment. */
class OnePerOutput implements AskSource {
  readonly #count: number;
  #given = 0;
  told = 0;

  constructor(count: number) {
    this.#count = count;
  }

  get done(): boolean {
    return this.told === this.#count;
  }

  next(): Ask | undefined {
    if (this.#given > this.told || this.done) return undefined;
    this.#given += 1;
    return { rows: 1, write: () => undefined, tell: () => (this.told += 1) };
  }
}

/** The layer's map laid over the input. */
function mapOf(input: ExplainedInput, maps: LayerMaps, signed: boolean): { map: PixelMap; view: ImageView } {
  // Of a signal, its last axis is the line that the convolution moves along.
  const view = maps.height === 1 ? lineOf(input) : imageOfInput(input, 'grad_cam');
  const { height, width } = view;
  const values = resample(gradCam(maps, !signed), [maps.height, maps.width], [height, width]);
  return { map: { height, width, values }, view };
}

function lineOf({ shape, elements }: ExplainedInput): ImageView {
  const width = shape.at(-1) ?? 1;
  const channels = elements / width;
  const elementOf = Uint32Array.from({ length: elements }, (_, at) => {
    return (at % channels) * width + Math.floor(at / channels);
  });
  return { height: 1, width, channels, elementOf };
}
