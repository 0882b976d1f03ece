import { figure } from '@shoal/report';
import type { ExplainResponse } from './messages';

/** One line that is written over and over, and at last wiped away. */
export interface Progress {
  show(answer: ExplainResponse): void;
  clear(): void;
}

/** How far an explanation is, where somebody looks: nothing is written into files. */
export function progressOf(stderr: { readonly isTTY?: boolean; write(text: string): unknown }): Progress {
  let shown = false;
  return {
    show(answer) {
      if (stderr.isTTY !== true) return;
      shown = true;
      stderr.write(`\r\u001b[2K${progressText(answer)}`);
    },
    clear() {
      if (shown) stderr.write('\r\u001b[2K');
    },
  };
}

/** For example `permutation: 2048 evaluations, 64000 rows, largest error ± 0.012`. */
export function progressText({ method, usage, outputs }: ExplainResponse): string {
  const errors = outputs.flatMap((output) => output.standard_errors).filter((error) => Number.isFinite(error));
  const error = errors.length === 0 ? '' : `, largest error ± ${figure(Math.max(...errors), 2)}`;
  return `${method}: ${usage?.evaluations ?? 0} evaluations, ${usage?.rows ?? 0} rows${error}`;
}
