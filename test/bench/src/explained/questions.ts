import path from 'node:path';
import { outputOf } from '../child';
import { type BenchModel, benchModels } from '../models/bench-models';
import { marginModel } from '../models/margin-model';
import type { ExplainJob, Explained } from './job';
import { marginRows, marginTrees } from './rows';

/** A model, and what of it is explained. */
export interface Question {
  readonly label: string;
  readonly model: BenchModel;
  readonly job: Pick<ExplainJob, 'model' | 'output' | 'input' | 'evaluations'>;
  /** Of one request: as many as fit the model and are whole coalitions. */
  readonly rows: number;
}

/** What is explained in the tables. */
export function questions(): readonly Question[] {
  const { rows, background } = marginRows(marginTrees(), 1);
  const of = (
    model: BenchModel,
    output: string,
    evaluations: number,
    row: readonly number[],
    more: object,
  ): Question['job'] => ({
    ...{ model: model.name, output, evaluations },
    input: { name: model.inputs[0]?.name ?? '', shape: model.inputs[0]?.dims ?? [], row, ...more },
  });
  const waves = (count: number) => Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i)));
  return [
    {
      label: 'trees, 30 features, background 50',
      model: marginModel,
      rows: 250,
      job: of(marginModel, 'margin', 1024, [...(rows[0] ?? [])], { background: [...background] }),
    },
    {
      label: 'digits_cnn, 64 pixels, background 1',
      model: benchModels.digits,
      rows: 32,
      job: of(benchModels.digits, 'logits', 8192, waves(64), {}),
    },
    {
      label: 'mlp 4×512², 512 features, background 1',
      model: benchModels.mlp,
      rows: 32,
      job: of(benchModels.mlp, 'y', 4096, waves(512), {}),
    },
    {
      label: 'conv 3×224×224, 64 cells, background 1',
      model: benchModels.conv,
      rows: 8,
      job: of(benchModels.conv, 'scores', 1024, waves(3 * 224 * 224), { grid: { rows: 8, columns: 8 } }),
    },
  ];
}

/** Runs `loads/explain` in a process of its own. */
export async function runExplain(job: ExplainJob): Promise<Explained> {
  const script = path.join(__dirname, '..', 'loads', 'explain.js');
  return JSON.parse(await outputOf([process.execPath, script], JSON.stringify(job))) as Explained;
}
