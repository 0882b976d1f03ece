import { readFileSync } from 'node:fs';
import type { ModelIo } from '@shoal/load';
import type { PictureSubject } from '@shoal/report';
import { toNumbers } from '@shoal/tensor';
import { baselineOf } from './baseline';
import { csvRows, onlyInput } from './csv-rows';
import type { ExplainConfig } from './explain-flags';
import { cellNames, gridOf, namedGroups, textNames } from './features';
import { type ImageRow, imageRow, readPixels } from './image-row';
import { jsonRows, rowsOf } from './json-rows';
import type { ExplainedInput, InputRows } from './messages';
import { qualityOf } from './quality';
import { tensors } from './tensors';
import { wrong } from './wrong';

/** A request to explain, and what its answer is shown with. */
export interface Question {
  /** shoal.explain.v1.ExplainRequest. */
  readonly request: object;
  /** [features]: what the row has there, as text; '' where a feature is several elements. */
  readonly shown: readonly string[];
  readonly picture: PictureSubject | undefined;
  /** [height × width × channels] of the picture: the element of the input that each value became. */
  readonly elementOf: ArrayLike<number> | undefined;
}

/**
 * What is asked, from the options and the files that they name.
 * @throws ShoalError INVALID_ARGUMENT
 */
export function questionOf(config: ExplainConfig, model: ModelIo): Question {
  const row = readRow(config, model);
  const explained = explainedOf(config, row);
  const players = playersOf(row.inputs, explained, model.maxBatchSize > 0);
  const request = {
    ...{ model_name: model.name, model_version: config.modelVersion, seed: config.seed },
    ...tensors(row.inputs),
    explained,
    ...baselineOf(config, model),
    output: outputChoice(config),
    link: { function: config.link === 'logit' ? 'LOGIT' : 'IDENTITY' },
    budget: { max_evaluations: config.budget, target_error: config.targetError },
    ...qualityOf(config.quality),
    [config.method]: methodOptions(config.methodOptions),
  };
  const picture = row.image && {
    ...{ height: row.image.pixels.height, width: row.image.pixels.width, channels: row.image.pixels.channels },
    pixels: row.image.pixels.data,
    featureOf: Uint32Array.from(row.image.elementOf, (element) => players.playerOf[0]?.[element] ?? 0),
  };
  return { request, shown: players.shown, picture, elementOf: row.image?.elementOf };
}

interface Row {
  readonly inputs: readonly InputRows[];
  readonly image?: ImageRow;
  /** [elements] */
  readonly names: readonly string[];
  /** The row is a text. */
  readonly isText?: boolean;
}

function readRow(config: ExplainConfig, model: ModelIo): Row {
  const given = [config.input, config.csv, config.image].filter((one) => one !== '');
  if (given.length === 0 && config.text !== '') return textRow(config, model);
  if (given.length !== 1) {
    throw wrong('shoal explain needs a row: one of --input FILE, --csv FILE, --image FILE or --text WORDS');
  }
  if (config.textMask !== '') throw wrong('--text-mask is for a --text without --input');
  const names = textNames(config);
  if (config.csv !== '') {
    const csv = csvRows(readText(config.csv, '--csv'), model, `--csv ${config.csv}`, config.row);
    return { inputs: csv.inputs, names: names.length > 0 ? names : csv.names };
  }
  if (config.image !== '') {
    const what = `--image ${config.image}`;
    const image = imageRow(readPixels(readBytes(config.image, '--image'), what), model, config.imageScale, what);
    return { inputs: [image.input], image, names };
  }
  const inline = config.input.trimStart().startsWith('{');
  const what = inline ? '--input' : `--input ${config.input}`;
  return { inputs: jsonRows(inline ? config.input : readText(config.input, '--input'), model, what, 1), names };
}

/** @throws ShoalError INVALID_ARGUMENT for a model that takes no text */
function textRow({ text }: ExplainConfig, model: ModelIo): Row {
  const input = onlyInput(model, '--text');
  if (input.datatype !== 'BYTES') {
    throw wrong(
      `--text: input '${input.name}' is of ${input.datatype}: token ids are in --input, their words in --text`,
    );
  }
  return { inputs: [rowsOf(input, [text], model.maxBatchSize > 0, '--text', 1)], names: [], isText: true };
}

function explainedOf(config: ExplainConfig, { inputs, image, names, isText }: Row): ExplainedInput[] {
  if (isText) {
    if (config.groups !== '' || config.featureNames !== '') throw wrong('--text: its words have names of their own');
    const text = config.textMask === '' ? {} : { mask: config.textMask };
    return inputs.map(({ name }) => ({ name, feature_names: [], text }));
  }
  const numeric = inputs.filter(({ datatype }) => datatype !== 'BYTES' && datatype !== 'BOOL');
  if (numeric.length !== 1) {
    if (names.length === 0 && config.groups === '') return numeric.map(({ name }) => ({ name, feature_names: [] }));
    throw wrong('--feature-names, --text and --groups are for models of one numeric input');
  }
  const [input] = numeric as [InputRows];
  if (image) {
    const axes = { height_axis: image.heightAxis, width_axis: image.widthAxis };
    const [, segments] = /^superpixels=(\d{1,6})$/.exec(config.groups) ?? [];
    if (segments !== undefined) {
      return [{ name: input.name, feature_names: names, superpixels: { segments: Number(segments), ...axes } }];
    }
    const grid = gridOf(config.groups, image);
    return [{ name: input.name, feature_names: names.length > 0 ? names : cellNames(grid), grid }];
  }
  const elements = elementsOf(input);
  if (names.length > 0 && names.length !== elements) {
    throw wrong(`${names.length} names for the ${elements} elements of input '${input.name}'`);
  }
  if (config.groups === '') return [{ name: input.name, feature_names: names }];
  const source = readText(config.groups, '--groups');
  return [{ name: input.name, ...namedGroups(source, names, elements, `--groups ${config.groups}`) }];
}

/** Players as the service numbers them: in the order in which their first elements come. */
function playersOf(inputs: readonly InputRows[], explained: readonly ExplainedInput[], batched: boolean) {
  const numbers = new Map<string, number>();
  const values: number[][] = [];
  const playerOf = explained.map((one) => {
    const input = inputs.find(({ name }) => name === one.name) as InputRows;
    // Words are shown by their names.
    if (input.datatype === 'BYTES') return new Uint32Array();
    const shape = batched ? input.shape.slice(1) : input.shape;
    const row = toNumbers(input.datatype as 'FP32', input.bytes);
    return Uint32Array.from(row, (value, at) => {
      const group = one.grid ? cellOf(one.grid, shape, at) : one.groups?.[at];
      const key = group === undefined ? `${one.name} ${at}` : String(group);
      const player = numbers.get(key) ?? numbers.size;
      numbers.set(key, player);
      (values[player] ??= []).push(value);
      return player;
    });
  });
  const shown = values.map((all) => (all.length === 1 ? String(Number((all[0] as number).toPrecision(5))) : ''));
  return { playerOf, shown };
}

/** Cell numbers, row by row of the grid; all that is on the other axes belongs to the cell. */
function cellOf(grid: NonNullable<ExplainedInput['grid']>, shape: readonly number[], at: number): number {
  const place = (axis: number) => {
    const stride = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    return Math.floor(at / stride) % (shape[axis] as number);
  };
  const [height, width] = [shape[grid.height_axis] as number, shape[grid.width_axis] as number];
  const row = Math.floor((place(grid.height_axis) * grid.rows) / height);
  return row * grid.columns + Math.floor((place(grid.width_axis) * grid.columns) / width);
}

function outputChoice({ output, index, topK }: ExplainConfig): object {
  if (index.length > 0 && topK > 0) throw wrong('--index and --top-k exclude each other');
  if (topK > 0) return { name: output, top_k: topK };
  if (index.length === 0) return { name: output };
  const numbers = index.map((text) => {
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw wrong(`--index ${text}: expected the number of an element, from 0`);
  });
  return { name: output, indices: { index: numbers } };
}

function methodOptions(given: string): object {
  if (given === '') return {};
  const json = /^\s*[{[]/.test(given) ? given : readText(given, '--method-options');
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    parsed = undefined;
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw wrong('--method-options: expected a JSON object, e.g. {"samples": 200}');
}

function elementsOf({ datatype, bytes }: InputRows): number {
  return toNumbers(datatype as 'FP32', bytes).length;
}

/** @throws ShoalError INVALID_ARGUMENT when it cannot be read. `-` is standard input. */
function readText(file: string, option: string): string {
  return readBytes(file, option).toString('utf8');
}

function readBytes(file: string, option: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : 'it cannot be read';
    throw wrong(`${option} ${file}: ${code}`);
  }
}
