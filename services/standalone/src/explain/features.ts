import { readFileSync } from 'node:fs';
import type { ExplainConfig } from './explain-flags';
import type { ImageRow } from './image-row';
import type { ExplainedInput } from './messages';
import { wrong } from './wrong';

/** Cells of a picture on a side, where nobody says how many. */
const defaultCells = 8;

/**
 * The names of the elements, from --text or --feature-names; none where neither is given.
 * @throws ShoalError INVALID_ARGUMENT
 */
export function textNames({ text, featureNames }: ExplainConfig): string[] {
  if (text !== '' && featureNames !== '') throw wrong('--text and --feature-names exclude each other');
  if (text !== '') return text.split(/\s+/).filter((word) => word !== '');
  if (featureNames === '') return [];
  if (featureNames.includes(',')) return featureNames.split(',').map((name) => name.trim());
  try {
    const lines = readFileSync(featureNames, 'utf8').split('\n');
    return lines.map((line) => line.trim()).filter((line) => line !== '');
  } catch {
    throw wrong(`--feature-names ${featureNames}: expected a file with one name a line, or names with commas between`);
  }
}

/** @throws ShoalError INVALID_ARGUMENT for what is not ROWSxCOLUMNS, or more than the picture has. */
export function gridOf(groups: string, { pixels, heightAxis, widthAxis }: ImageRow): ExplainedInput['grid'] & object {
  const axes = { height_axis: heightAxis, width_axis: widthAxis };
  const { height, width } = pixels;
  if (groups === '') return { rows: Math.min(height, defaultCells), columns: Math.min(width, defaultCells), ...axes };
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(groups);
  const [rows, columns] = [Number(match?.[1]), Number(match?.[2])];
  if (rows >= 1 && columns >= 1 && rows <= height && columns <= width) return { rows, columns, ...axes };
  throw wrong(`--groups ${groups}: expected ROWSxCOLUMNS for a picture, at most ${height}x${width}`);
}

/** What the cells of a grid are called, row by row. */
export function cellNames({ rows, columns }: { readonly rows: number; readonly columns: number }): string[] {
  return Array.from({ length: rows * columns }, (_, at) => {
    return `row ${Math.floor(at / columns) + 1}, column ${(at % columns) + 1}`;
  });
}

/**
 * `{ "GROUP": ["FEATURE", …] }` as the group of each element, and the groups' names. A feature is a name or its place from 0; those in no
 * group stay alone.
 * @throws ShoalError INVALID_ARGUMENT
 */
export function namedGroups(
  source: string,
  names: readonly string[],
  elements: number,
  what: string,
): Pick<ExplainedInput, 'feature_names' | 'groups'> {
  const parsed = parseGroups(source, what);
  const groups = new Array<number | undefined>(elements).fill(undefined);
  const groupNames: string[] = [];
  for (const [group, members] of parsed) {
    for (const member of members) {
      const at = typeof member === 'number' ? member : names.indexOf(String(member));
      if (!Number.isInteger(at) || at < 0 || at >= elements) {
        throw wrong(`${what}: group '${group}' has '${String(member)}', which is no name or place of a feature`);
      }
      if (groups[at] !== undefined) throw wrong(`${what}: '${String(member)}' is in two groups`);
      groups[at] = groupNames.length;
    }
    groupNames.push(group);
  }
  const all = groups.map((group, at) => group ?? groupNames.push(names[at] ?? `[${at}]`) - 1);
  return { feature_names: groupNames, groups: all };
}

function parseGroups(source: string, what: string): [group: string, members: readonly unknown[]][] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(source);
  } catch {
    parsed = undefined;
  }
  const entries = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? Object.entries(parsed) : [];
  if (entries.length === 0 || !entries.every(([, members]) => Array.isArray(members) && members.length > 0)) {
    throw wrong(`${what}: expected JSON { "GROUP": ["FEATURE", …], … }`);
  }
  return entries as [string, unknown[]][];
}
