import type { OnnxNode } from '../../onnx/onnx-model';
import { activationRules, geluRule } from './activation';
import { arithmeticRules } from './arithmetic';
import { classicRules } from './classic';
import { convolutionRules } from './convolution';
import { matrixRules } from './matrix';
import { normalizationRules } from './normalization';
import { poolingRules } from './pooling';
import { reductionRules } from './reduction';
import type { Rule, Rules } from './rule';
import { selectionRules } from './selection';
import { shapingRules } from './shaping';
import { unaryRules } from './unary';

const byDomain: ReadonlyMap<string, Rules> = new Map([
  [
    '',
    {
      ...unaryRules,
      ...activationRules,
      ...arithmeticRules,
      ...matrixRules,
      ...convolutionRules,
      ...poolingRules,
      ...normalizationRules,
      ...reductionRules,
      ...shapingRules,
      ...selectionRules,
    },
  ],
  ['ai.onnx.ml', classicRules],
  ['com.microsoft', { Gelu: geluRule }],
]);

/** Operators whose outputs do not move with their inputs, or only in jumps: no gradient passes. */
const flat = new Set(
  `And ArgMax ArgMin BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Ceil Constant ConstantOfShape Equal EyeLike Floor Greater
  GreaterOrEqual IsInf IsNaN Less LessOrEqual NonZero Not OneHot Or Range Round Shape Sign Size Xor
  RandomNormalLike RandomUniformLike Bernoulli Multinomial`.split(/\s+/),
);

/** The rule of a node's operator; undefined: there is none. */
export function ruleOf(node: OnnxNode): Rule | undefined {
  const rules = byDomain.get(node.domain);
  return rules !== undefined && Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
}

export const isFlat = (node: OnnxNode): boolean => node.domain === '' && flat.has(node.op);
