import { gridGroups, superpixels as segmented } from '@shoal/explain';
import { elementSize, toNumbers } from '@shoal/tensor';
import { byElement, imageAxes, imageOf, imageView } from './image-view';
import type { ExplainedInputMessage, GridMessage, ImageAxesMessage, SuperpixelsMessage } from './messages';
import { PlayerBook } from './player-book';
import { invalid, quoted } from './refuse';
import type { Tensor } from './tensor';
import { type TextInput, piecesOf } from './text-input';

/** An input of numbers whose elements belong to players. */
export interface ExplainedInput {
  readonly name: string;
  readonly datatype: Exclude<Tensor['datatype'], 'BYTES'>;
  /** Of one row. */
  readonly shape: readonly number[];
  readonly elements: number;
  /** [elements]: whose it is; −1: nobody's, it stays as it is. */
  readonly playerOf: Int32Array;
  /** Absent elements are taken out, and this fills the end; undefined: the baseline stands in their place. */
  readonly padding: number | undefined;
  /** Where its rows are images, if they are. */
  readonly axes: ImageAxesMessage;
  /** The server divided it in a way that only it knows. */
  readonly isSegmented: boolean;
}

/** What is present or absent as a whole. */
export interface Players {
  readonly inputs: readonly ExplainedInput[];
  readonly texts: readonly TextInput[];
  /** [players] */
  readonly names: readonly string[];
  /** [players]: the first input that it has elements of. */
  readonly inputOf: readonly string[];
  /** [players]: how many elements. */
  readonly sizes: readonly number[];
  /** The players as a tensor: the one explained input's own shape, its grid, or the words of a text; undefined where they are not one. */
  readonly shape: readonly number[] | undefined;
  /** Each player is one number, and each number is a player. */
  readonly single: boolean;
  /** What players are, for people. */
  readonly noun: 'features' | 'words';
}

/**
 * Divides the explained inputs into players.
 * @param rows the row (or rows: first dimension) that is explained
 * @param batched the first dimension is the batch's
 * @throws ShoalError INVALID_ARGUMENT
 */
export function playersOf(
  rows: readonly Tensor[],
  asked: readonly ExplainedInputMessage[],
  batched: boolean,
  maxPlayers: number,
): Players {
  const chosen = asked.length > 0 ? asked : byDefault(rows);
  if (chosen.length === 0) {
    throw invalid('the request has no input of numbers or text: name the inputs that are explained');
  }
  if (new Set(chosen.map(({ name }) => name)).size < chosen.length) throw invalid('explained: an input is named twice');
  const book = new PlayerBook(maxPlayers);
  const inputs: ExplainedInput[] = [];
  const texts: TextInput[] = [];
  for (const message of chosen) {
    const tensor = rows.find(({ name }) => name === message.name);
    if (!tensor) throw invalid(`explained: the request has no input ${quoted(message.name)}`);
    const shape = batched ? tensor.shape.slice(1) : tensor.shape;
    const elements = shape.reduce((product, dim) => product * dim, 1);
    if (elements === 0) throw invalid(`explained: input ${quoted(message.name)} has no elements`);
    if (tensor.datatype === 'BYTES') texts.push(textOf(book, tensor, message, elements));
    else inputs.push(numbersOf(book, { ...tensor, datatype: tensor.datatype }, message, shape, elements));
  }
  if (book.sizes.length === 0) throw invalid('what is explained has no elements that could be absent');
  const { names, inputOf, sizes } = book;
  const isFree = inputs.every(({ playerOf, padding }) => padding === undefined && !playerOf.includes(-1));
  return {
    inputs,
    texts,
    ...{ names, inputOf, sizes },
    shape: chosen.length === 1 ? shapeOf(inputs[0], texts[0], chosen[0] as ExplainedInputMessage) : undefined,
    single: texts.length === 0 && isFree && sizes.every((size) => size === 1),
    noun: inputs.length === 0 && texts.every(({ words }) => words) ? 'words' : 'features',
  };
}

/** All of numbers; where there are only texts, these. */
function byDefault(rows: readonly Tensor[]): ExplainedInputMessage[] {
  const numeric = rows.filter(({ datatype }) => datatype !== 'BYTES' && datatype !== 'BOOL');
  const chosen = numeric.length > 0 ? numeric : rows.filter(({ datatype }) => datatype === 'BYTES');
  const rest = {
    feature_names: [],
    groups: [],
    grid: null,
    text: null,
    fixed: [],
    removal: null,
    superpixels: null,
    image: null,
  };
  return chosen.map(({ name }) => ({ name, ...rest }));
}

function textOf(book: PlayerBook, tensor: Tensor, message: ExplainedInputMessage, elements: number): TextInput {
  const { name, feature_names: given, groups, grid, removal, fixed, text, superpixels, image } = message;
  if (grid || removal || superpixels || image)
    throw invalid(
      `explained: input ${quoted(name)} is of BYTES, which has neither grid, superpixels, image nor removal`,
    );
  const pieces = piecesOf(tensor, message, elements);
  if (groups.length > 0 && groups.length !== pieces.length) {
    const what = elements > 1 ? 'elements a row' : 'words';
    throw invalid(`explained: input ${quoted(name)} has ${pieces.length} ${what} and ${groups.length} groups`);
  }
  const nameOf = (key: number) => {
    if (given[key] !== undefined) return given[key];
    return pieces
      .filter((_, at) => (groups[at] ?? at) === key)
      .map((piece) => piece.trim())
      .join(' ');
  };
  const division = { input: name, count: pieces.length, groups: groups.length > 0 ? groups : undefined, fixed, nameOf };
  const playerOf = book.divide(division);
  return { name, datatype: 'BYTES', elements, playerOf, words: elements > 1 ? undefined : pieces, mask: text?.mask };
}

type NumberTensor = Tensor & { readonly datatype: ExplainedInput['datatype'] };

function numbersOf(
  book: PlayerBook,
  { name, datatype, bytes }: NumberTensor,
  message: ExplainedInputMessage,
  shape: readonly number[],
  elements: number,
): ExplainedInput {
  if (message.text) throw invalid(`explained: input ${quoted(name)} is of ${datatype}: it is no text`);
  if (elements * elementSize(datatype) === 0) throw invalid(`explained: input ${quoted(name)} has no elements`);
  const { superpixels } = message;
  const groups = superpixels
    ? segmentsOf(message, superpixels, shape, () => toNumbers(datatype, bytes).subarray(0, elements))
    : groupsOf(message, shape, elements);
  const kind = superpixels ? 'superpixel' : 'group';
  const nameOf = (key: number) => message.feature_names[key] ?? (groups ? `${kind} ${key}` : `${name}[${key}]`);
  const playerOf = book.divide({ input: name, count: elements, groups, fixed: message.fixed, nameOf });
  return {
    name,
    datatype,
    shape,
    elements,
    playerOf,
    padding: message.removal?.padding,
    axes: imageAxes(message, shape),
    isSegmented: superpixels !== null,
  };
}

function shapeOf(
  input: ExplainedInput | undefined,
  text: TextInput | undefined,
  { grid, groups, fixed, superpixels }: ExplainedInputMessage,
): readonly number[] | undefined {
  if (fixed.length > 0 || superpixels) return undefined;
  if (grid) return [grid.rows, grid.columns];
  if (groups.length > 0) return undefined;
  return input ? input.shape : text && [text.playerOf.length];
}

function groupsOf(
  { name, groups, grid }: ExplainedInputMessage,
  shape: readonly number[],
  elements: number,
): ArrayLike<number> | undefined {
  if (grid) {
    if (groups.length > 0) throw invalid(`explained: input ${quoted(name)} has both groups and a grid`);
    return cellsOf(name, grid, shape);
  }
  if (groups.length === 0) return undefined;
  if (groups.length !== elements) {
    throw invalid(`explained: input ${quoted(name)} has ${elements} elements a row and ${groups.length} groups`);
  }
  return groups;
}

/** Cell numbers, row by row of the grid; all that is on the other axes belongs to the cell. */
function cellsOf(name: string, grid: GridMessage, shape: readonly number[]): Int32Array {
  const { rows, columns } = grid;
  const view = imageView(name, shape, grid);
  const { height, width } = view;
  if (rows < 1 || columns < 1 || rows > height || columns > width) {
    throw invalid(`explained: a grid over ${height} × ${width} has 1 to ${height} rows and 1 to ${width} columns`);
  }
  return byElement(view, gridGroups(height, width, rows, columns));
}

/** Superpixels, numbered in reading order. */
function segmentsOf(
  { name, grid, groups }: ExplainedInputMessage,
  { segments, compactness, ...axes }: SuperpixelsMessage,
  shape: readonly number[],
  values: () => Float64Array,
): Int32Array {
  if (grid || groups.length > 0) {
    throw invalid(`explained: input ${quoted(name)} has superpixels, and groups or a grid as well`);
  }
  const view = imageView(name, shape, axes);
  if (segments < 1 || segments > view.height * view.width) {
    throw invalid(
      `explained: an image of ${view.height} × ${view.width} has 1 to ${view.height * view.width} superpixels`,
    );
  }
  const options = { segments, ...(compactness > 0 && { compactness }) };
  return byElement(view, segmented(imageOf(view, values()), options));
}
