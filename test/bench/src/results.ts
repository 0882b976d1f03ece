import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Column, renderTable } from '@shoal/load';
import { type Machine, machineLine } from './machine';
import type { Line, Measured } from './table';

/** A finished table. */
export interface Report<M extends Measured> {
  readonly name: string;
  readonly machine: Machine;
  readonly columns: readonly Column<Line<M>>[];
  readonly lines: readonly Line<M>[];
  readonly notes: readonly string[];
}

/** The table as Markdown, with what is to be known beside it. */
export function markdownOf<M extends Measured>({ columns, lines, notes, machine }: Report<M>): string {
  const parts = [renderTable(columns, lines), ...notes, machineLine(machine)];
  return `${parts.join('\n\n')}\n`;
}

/** Writes NAME.json and NAME.md into `folder`; returns the Markdown file. */
export function writeReport<M extends Measured>(folder: string, report: Report<M>): string {
  mkdirSync(folder, { recursive: true });
  const { name, machine, lines, notes } = report;
  const json = { name, machine, lines, notes };
  writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(json, undefined, 2)}\n`);
  const file = path.join(folder, `${name}.md`);
  writeFileSync(file, markdownOf(report));
  return file;
}
