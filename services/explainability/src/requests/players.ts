import { elementSize } from '@shoal/tensor';
import type { ExplainedInputMessage, GridMessage } from './messages';
import { invalid, quoted } from './refuse';
import type { Tensor } from './tensor';

/** An input whose elements belong to players. */
export interface ExplainedInput {
  readonly name: string;
  readonly datatype: Exclude<Tensor['datatype'], 'BYTES'>;
  /** Of one row. */
  readonly shape: readonly number[];
  readonly elements: number;
  /** [elements]: whose it is. */
  readonly playerOf: Uint32Array;
}

/** What is present or absent as a whole. */
export interface Players {
  readonly inputs: readonly ExplainedInput[];
  /** [players] */
  readonly names: readonly string[];
  /** [players]: the first input that it has elements of. */
  readonly inputOf: readonly string[];
  /** [players]: how many elements. */
  readonly sizes: readonly number[];
  /** The players as a tensor: the one explained input's own shape, or its grid; undefined where they are not one. */
  readonly shape: readonly number[] | undefined;
  /** Each player is one element. */
  readonly single: boolean;
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
  const chosen = asked.length > 0 ? asked : rows.filter(isNumeric).map(({ name }) => whole(name));
  if (chosen.length === 0) {
    throw invalid('the request has no numeric input: name the inputs that are explained, and how they are divided');
  }
  if (new Set(chosen.map(({ name }) => name)).size < chosen.length) throw invalid('explained: an input is named twice');
  const numbers = new Map<string, number>();
  const names: string[] = [];
  const inputOf: string[] = [];
  const sizes: number[] = [];
  const inputs = chosen.map((message) => {
    const input = inputOfRequest(rows, message.name, batched);
    const groups = groupsOf(message, input.shape, input.elements);
    const playerOf = new Uint32Array(input.elements);
    for (let at = 0; at < input.elements; at += 1) {
      const group = groups?.[at];
      const key = group === undefined ? `${message.name} ${at}` : String(group);
      let player = numbers.get(key);
      if (player === undefined) {
        player = sizes.length;
        if (player >= maxPlayers) {
          throw invalid(
            `what is explained has more than ${maxPlayers} features: put elements together in groups (explained.groups, explained.grid)`,
          );
        }
        numbers.set(key, player);
        names.push(nameOf(message, group ?? at, group !== undefined));
        inputOf.push(message.name);
        sizes.push(0);
      }
      sizes[player] = (sizes[player] as number) + 1;
      playerOf[at] = player;
    }
    return { ...input, playerOf };
  });
  if (sizes.length === 0) throw invalid('what is explained has no elements');
  return { inputs, names, inputOf, sizes, shape: shapeOf(inputs, chosen), single: sizes.every((size) => size === 1) };
}

function shapeOf(
  [input, ...others]: readonly ExplainedInput[],
  [message]: readonly ExplainedInputMessage[],
): readonly number[] | undefined {
  if (!input || !message || others.length > 0) return undefined;
  if (message.grid) return [message.grid.rows, message.grid.columns];
  return message.groups.length === 0 ? input.shape : undefined;
}

function isNumeric({ datatype }: Tensor): boolean {
  return datatype !== 'BYTES' && datatype !== 'BOOL';
}

function whole(name: string): ExplainedInputMessage {
  return { name, feature_names: [], groups: [], grid: null };
}

function inputOfRequest(rows: readonly Tensor[], name: string, batched: boolean): Omit<ExplainedInput, 'playerOf'> {
  const tensor = rows.find((one) => one.name === name);
  if (!tensor) throw invalid(`explained: the request has no input ${quoted(name)}`);
  const { datatype, shape } = tensor;
  if (datatype === 'BYTES') {
    throw invalid(`explained: input ${quoted(name)} is of BYTES, which cannot be taken apart by elements`);
  }
  const own = batched ? shape.slice(1) : shape;
  const elements = own.reduce((product, dim) => product * dim, 1);
  if (elements * elementSize(datatype) === 0) throw invalid(`explained: input ${quoted(name)} has no elements`);
  return { name, datatype, shape: own, elements };
}

function groupsOf(
  { name, groups, grid }: ExplainedInputMessage,
  shape: readonly number[],
  elements: number,
): ArrayLike<number> | undefined {
  if (grid) {
    if (groups.length > 0) throw invalid(`explained: input ${quoted(name)} has both groups and a grid`);
    return gridGroups(name, grid, shape, elements);
  }
  if (groups.length === 0) return undefined;
  if (groups.length !== elements) {
    throw invalid(`explained: input ${quoted(name)} has ${elements} elements a row and ${groups.length} groups`);
  }
  return groups;
}

/** Cell numbers, row by row of the grid; all that is on the other axes belongs to the cell. */
function gridGroups(name: string, grid: GridMessage, shape: readonly number[], elements: number): Uint32Array {
  const { rows, columns } = grid;
  const byDefault = grid.height_axis === 0 && grid.width_axis === 0;
  const heightAxis = byDefault ? shape.length - 2 : grid.height_axis;
  const widthAxis = byDefault ? shape.length - 1 : grid.width_axis;
  const [height, width] = [shape[heightAxis], shape[widthAxis]];
  if (height === undefined || width === undefined || heightAxis === widthAxis) {
    throw invalid(`explained: input ${quoted(name)} has no such axes for a grid: its rows are [${shape.join(',')}]`);
  }
  if (rows < 1 || columns < 1 || rows > height || columns > width) {
    throw invalid(`explained: a grid over ${height} × ${width} has 1 to ${height} rows and 1 to ${width} columns`);
  }
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, dim) => product * dim, 1));
  return Uint32Array.from({ length: elements }, (_, at) => {
    const y = Math.floor(at / (strides[heightAxis] as number)) % height;
    const x = Math.floor(at / (strides[widthAxis] as number)) % width;
    return Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
  });
}

function nameOf({ name, feature_names: names }: ExplainedInputMessage, at: number, grouped: boolean): string {
  return names[at] ?? (grouped ? `group ${at}` : `${name}[${at}]`);
}
