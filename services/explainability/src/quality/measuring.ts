import type { InferResponseView } from '@shoal/protocol';
import type { Answer, MethodContext, Running } from '../methods/method';
import type { QualityMessage } from '../requests/messages';
import type { Tensor } from '../requests/tensor';

/** What measures are made from. */
export interface Measuring {
  readonly context: MethodContext;
  /** What is judged. */
  readonly result: Answer;
  /** That it was made by. */
  readonly method: string;
  readonly quality: QualityMessage | null;
  /** Evaluates what a source asks. */
  readonly run: (what: Pick<Running, 'source' | 'requests'>) => Promise<'done' | 'deadline'>;
  /** Asks the model about one row. */
  readonly predict: (row: readonly Tensor[]) => Promise<InferResponseView>;
}

export interface Measured {
  /** shoal.explain.v1.Measure */
  readonly measures: readonly object[];
  readonly warnings: readonly string[];
}

/** What is said of a measure that there was no time for. */
export function tooLate(name: string): Measured {
  return { measures: [], warnings: [`the deadline came before ${name} was measured`] };
}

/** The part that all of shoal.explain.v1.Measure have. */
export function named({ context }: Measuring, name: string, at: number): object {
  const { output } = context;
  return { name, output: output.name, index: output.indices[at] ?? output.indices[0] };
}
