import {
  type ExplainedOutput,
  type Explanation,
  type Rank,
  centred,
  columnsOf,
  curvesOf,
  facts,
  figure,
  finite,
  importanceOutput,
  outputTitle,
  ranked,
  shortened,
  signed,
} from '@shoal/report';
import { renderCounterfactuals, renderCurves, renderRule } from './render-found';
import { renderWords } from './render-words';
import { type TerminalStyle, ascii, clean, padded, paint } from './terminal-text';

/** Lines for features; what is beyond is summed. */
const most = 24;

const nameColumns = 32;
const valueColumns = 12;

/** An explanation for people at a terminal: what each feature adds to each output or what else was found, and what that is worth. */
export function renderExplanation(explanation: Explanation, style: TerminalStyle, isText = false): string {
  const { anchor, counterfactuals } = explanation;
  const blocks = explanation.outputs.flatMap((output) => {
    const block = renderedOutput(explanation, output, style);
    if (block === undefined) return [];
    return isText && style.color && output.values.length > 0 ? [block, renderWords(explanation, output)] : [block];
  });
  if (anchor) blocks.unshift(renderRule(explanation, anchor, style));
  if (counterfactuals) blocks.unshift(renderCounterfactuals(explanation, counterfactuals, style));
  const pairs = facts(explanation).map(([name, text]) => `${paint(name.padEnd(12), 'dim', style)}${clean(text)}`);
  const warnings = explanation.warnings.map((text) => `${paint('warning', 'bold', style)}     ${clean(text)}`);
  return [...blocks, [...pairs, ...warnings].join('\n')].join('\n\n');
}

/** Undefined: there is nothing of this output alone. */
function renderedOutput(explanation: Explanation, output: ExplainedOutput, style: TerminalStyle): string | undefined {
  const { importance } = explanation;
  if (importance) {
    const sums = `loss ${ascii(figure(importance.loss))}; what it grows by when a feature is shuffled`;
    return renderOutput(explanation, importanceOutput(importance, output), style, sums);
  }
  if (curvesOf(explanation, output).length > 0) return renderCurves(explanation, output, style);
  if (output.values.length === 0) return undefined;
  if (output.map) {
    const { output: against, mean } = centred(output);
    const words = mean === undefined ? '' : `; means over pixels, against that of the map, ${ascii(figure(mean))}`;
    return renderOutput(explanation, against, style, `output ${ascii(figure(output.outputValue))}${words}`);
  }
  const sums = `base ${ascii(figure(output.baseValue))}, output ${ascii(figure(output.outputValue))}, additivity gap ${ascii(figure(output.additivityGap))}`;
  return renderOutput(explanation, output, style, sums);
}

function renderOutput({ features }: Explanation, output: ExplainedOutput, style: TerminalStyle, sums: string): string {
  const ranks = ranked(features, output, most);
  const names = ranks.map(({ name }) => shortened(clean(name), nameColumns));
  const shown = ranks.map((rank) => shortened(clean(rank.shown), valueColumns));
  const numbers = ranks.map(({ value }) => ascii(signed(value)));
  const errors = ranks.map(({ error }) => (error === undefined ? '' : `± ${ascii(figure(error, 2))}`));
  const [nameWidth, shownWidth, numberWidth, errorWidth] = [names, shown, numbers, errors].map(widest) as [
    number,
    number,
    number,
    number,
  ];
  const largest = ranks.reduce((top, { value }) => Math.max(top, Math.abs(finite(value))), 0);
  const fixed = nameWidth + shownWidth + numberWidth + errorWidth + 8;
  // Half of the bars' columns: one side of zero.
  const half = Math.max(6, Math.min(24, Math.floor((style.columns - fixed - 1) / 2)));
  const lines = ranks.map((rank, i) => {
    const kind = rank.value < 0 ? 'down' : 'up';
    const left = `${padded(names[i] as string, nameWidth)}  ${padded(shown[i] as string, shownWidth)}  `;
    const number = paint((numbers[i] as string).padStart(numberWidth), kind, style);
    return `${left}${bar(rank, largest, half, style)}  ${number}  ${errors[i]}`.trimEnd();
  });
  // Where there is no sum of the others.
  const left = features.length - ranks.length;
  const rest = left > 0 && ranks.every(({ feature }) => feature !== undefined) ? [`${left} others are smaller`] : [];
  return [
    paint(clean(outputTitle(output)), 'bold', style),
    paint(sums, 'dim', style),
    ...lines,
    ...rest.map((line) => paint(line, 'dim', style)),
  ].join('\n');
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** Both sides of zero; to the right in eighths of a character, to the left, for which there are none, in halves. */
function bar({ value }: Rank, largest: number, half: number, style: TerminalStyle): string {
  const length = largest === 0 ? 0 : (Math.abs(finite(value)) / largest) * half;
  if (value < 0) {
    const halves = Math.round(length * 2);
    const drawn = `${halves % 2 === 1 ? '▐' : ''}${'█'.repeat(Math.floor(halves / 2))}`;
    return `${' '.repeat(half - drawn.length)}${paint(drawn, 'down', style)}│${' '.repeat(half)}`;
  }
  const parts = Math.round(length * 8);
  const drawn = `${'█'.repeat(Math.floor(parts / 8))}${eighths[parts % 8]}`;
  return `${' '.repeat(half)}│${paint(drawn, 'up', style)}${' '.repeat(half - drawn.length)}`;
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most_, text) => Math.max(most_, columnsOf(text)), 0);
}
