import { Constants } from '../onnx/constants';
import type { OnnxGraph, OnnxNode } from '../onnx/onnx-model';
import { concatMargins } from './concat-margins';
import { treeLimits, unexplainedTrees } from './limits';
import { ensembleMargin, isEnsemble, type Margin } from './margin';

/** What may follow the sums: it is named, and the sums before it are what is explained. */
const transforming = new Set(['Sigmoid', 'Softmax', 'LogSoftmax', 'Exp', 'Normalizer']);
const passing = new Set(['Identity', 'Cast', 'ZipMap', 'Flatten']);
const arithmetic = new Set(['Add', 'Sub', 'Mul', 'Div']);

/** Whether what the model does to its sums is 1/(1 + exp(−sum)). */
export const isLogistic = (transform: string | undefined): boolean =>
  transform === 'LOGISTIC' || transform === 'Sigmoid';

/** How a node is called in messages. */
export function nodeText(node: OnnxNode): string {
  const name = node.name === '' ? (node.outputs[0] ?? '') : node.name;
  return `${node.op.slice(0, 40)} ${JSON.stringify(name.slice(0, 80))}`;
}

/** Follows an output back to the tree ensembles it comes from. Throws UNIMPLEMENTED naming the first node that is in the way. */
export class OutputTrace {
  private readonly producers = new Map<string, OnnxNode>();
  private readonly constants: Constants;
  private readonly ensembles = new Map<OnnxNode, Margin>();
  private left: number = treeLimits.operators;

  constructor(graph: OnnxGraph) {
    for (const node of graph.nodes) for (const output of node.outputs) this.producers.set(output, node);
    this.constants = new Constants(graph);
  }

  producer(name: string): OnnxNode | undefined {
    return this.producers.get(name);
  }

  numbers(name: string): readonly number[] | undefined {
    return this.constants.numbers(name);
  }

  margin(name: string): Margin {
    const node = this.producers.get(name);
    if (node === undefined)
      throw unexplainedTrees(
        `the output does not come from a tree ensemble alone: ${JSON.stringify(name.slice(0, 80))} goes into it`,
      );
    this.left -= 1;
    if (this.left < 0) throw unexplainedTrees(`there are more than ${treeLimits.operators} operators behind the trees`);
    if (isEnsemble(node)) {
      if (node.op !== 'TreeEnsembleClassifier' || node.outputs[1] === name) return this.ensemble(node);
      throw unexplainedTrees(`the output is the label of ${nodeText(node)}; ask for its scores`);
    }
    const first = node.inputs[0] ?? '';
    if (passing.has(node.op)) return this.margin(first);
    if (transforming.has(node.op)) {
      const margin = this.margin(first);
      return { ...margin, transform: margin.transform ?? node.op };
    }
    if (arithmetic.has(node.op)) return this.arithmetic(node);
    if (node.op === 'Concat') return this.concat(node);
    if (node.op === 'Sum') {
      const [head, ...others] = node.inputs.map((input) => this.margin(input));
      if (head !== undefined) return others.reduce((sum, margin) => joined(sum, margin, 1, node), head);
    }
    throw unexplainedTrees(`TreeSHAP cannot look through ${nodeText(node)}, which the trees' sums go through`);
  }

  /** The same one each time, so that it is seen where several outputs come from one ensemble. */
  private ensemble(node: OnnxNode): Margin {
    const margin = this.ensembles.get(node) ?? ensembleMargin(node);
    this.ensembles.set(node, margin);
    return margin;
  }

  private concat(node: OnnxNode): Margin {
    const axis = node.attributes.get('axis')?.i;
    const margins = node.inputs.map((input) => this.margin(input));
    const found =
      axis === 1 || axis === -1 ? concatMargins(margins) : 'it does not put outputs of one row beside each other';
    if (typeof found !== 'string') return found;
    throw unexplainedTrees(`TreeSHAP cannot look through ${nodeText(node)}: ${found}`);
  }

  private arithmetic(node: OnnxNode): Margin {
    const [a = '', b = ''] = node.inputs;
    const left = this.constants.numbers(a);
    const right = this.constants.numbers(b);
    const sign = node.op === 'Sub' ? -1 : 1;
    if (left === undefined && right === undefined) {
      if (node.op !== 'Add' && node.op !== 'Sub')
        throw unexplainedTrees(`TreeSHAP cannot look through ${nodeText(node)} of two tensors`);
      return joined(this.margin(a), this.margin(b), sign, node);
    }
    const constant = right ?? left ?? [];
    const margin = this.margin(right === undefined ? b : a);
    if (
      isLogistic(margin.transform) &&
      node.op === 'Sub' &&
      right === undefined &&
      constant.every((one) => one === 1)
    ) {
      // 1 − σ(m) = σ(−m).
      const turned = (value: number): number => -value;
      return { ...margin, offset: margin.offset.map(turned), scale: margin.scale.map(turned) };
    }
    if (margin.transform !== undefined) return margin;
    if (right === undefined && node.op !== 'Add' && node.op !== 'Mul')
      throw unexplainedTrees(`TreeSHAP cannot look through ${nodeText(node)} of a constant and the trees`);
    const of = margin.columns.map((column) => (constant.length === 1 ? constant[0] : constant[column]) ?? Number.NaN);
    if (!of.every((value) => Number.isFinite(value) && (node.op !== 'Div' || value !== 0)))
      throw unexplainedTrees(
        `TreeSHAP cannot look through ${nodeText(node)}: its constant is not one finite number for each output`,
      );
    if (node.op === 'Add' || node.op === 'Sub')
      return { ...margin, offset: margin.offset.map((value, o) => value + sign * (of[o] as number)) };
    const factor = (value: number, o: number): number =>
      node.op === 'Div' ? value / (of[o] as number) : value * (of[o] as number);
    return { ...margin, offset: margin.offset.map(factor), scale: margin.scale.map(factor) };
  }
}

/** Sums (or, with sign −1, differences) of ensembles that look at the same tensor. */
function joined(a: Margin, b: Margin, sign: number, node: OnnxNode): Margin {
  const refuse = (why: string): Error => unexplainedTrees(`TreeSHAP cannot look through ${nodeText(node)}: ${why}`);
  if (a.transform !== undefined || b.transform !== undefined)
    throw refuse('it adds ensembles after their transformation');
  if (a.source !== b.source) throw refuse('it adds ensembles that look at different tensors');
  if (a.columns.join() !== b.columns.join()) throw refuse('it adds ensembles with different outputs');
  const scaled = (margin: Margin, by: number): readonly ListedPart[] =>
    margin.parts.map((part) => ({
      ...part,
      weightValue: part.weightValue.map(
        (value, at) => value * by * (margin.scale[part.weightTarget[at] as number] ?? 1),
      ),
      base: part.base.map((value, o) => value * by * (margin.scale[o] ?? 1)),
    }));
  return {
    ...a,
    parts: [...scaled(a, 1), ...scaled(b, sign)],
    offset: a.offset.map((value, o) => value + sign * (b.offset[o] as number)),
    scale: a.scale.map(() => 1),
  };
}

type ListedPart = Margin['parts'][number];
