import { type FeatureRule, type Wanted, counterfactuals } from '@shoal/explain';
import { fromNumbers, toNumbers } from '@shoal/tensor';
import { RowSource } from '../perturbing/row-source';
import type { FeatureRuleMessage } from '../requests/messages';
import { invalid, quoted } from '../requests/refuse';
import type { Method, MethodContext, Running } from './method';
import { dataOf, refuseUnknown, rowOf, unattributed, wholeNumbers } from './numbers';

/** What would have to be different. */
export const counterfactualMethods: readonly Method[] = [
  {
    name: 'counterfactuals',
    summary:
      'rows as near to the explained one as can be found of which the model says something else, without gradients',
    needs: 'predictions',
    answers: 'counterfactuals',
    start,
  },
];

const usualPopulation = 100;

function start(context: MethodContext): Running {
  const { players, budget, seed, output, options, background } = context;
  const { count = 0, rules = [] } = options.counterfactuals ?? {};
  const row = rowOf(context, 'counterfactuals');
  refuseUnknown(
    rules.map(({ feature }) => feature),
    row.length,
    'counterfactuals.rules',
  );
  const hasData = background.count > 1 && background.source !== 'generated';
  const data = hasData ? dataOf(context, 'counterfactuals') : undefined;
  const population = Math.min(Math.max(usualPopulation, count), Math.floor(budget / 2));
  if (population < Math.max(4, count)) {
    throw invalid(`counterfactuals: a budget of ${budget} evaluations is too small to find ${Math.max(1, count)}`);
  }
  const { wanted, words } = wantedOf(context);
  const estimator = counterfactuals({
    ...{ row, wanted, budget, seed, population, count: Math.max(1, count), examples: data },
    rules: Array.from(row, (value, feature) => {
      const rule = rules.find((one) => one.feature === feature);
      return ruleOf(context, feature, value, rule, data);
    }),
  });
  const indices = Array.from({ length: output.elements }, (_, index) => index);
  return {
    source: new RowSource(estimator, players.inputs),
    requests: context.requests({ ...output, indices }),
    answer() {
      const found = estimator.result();
      if (!found) return undefined;
      return {
        outputs: unattributed(context),
        exact: false,
        converged: estimator.done && found.stopReason !== 'budget',
        ...{ stopReason: found.stopReason, evaluations: found.evaluations },
        fields: {
          counterfactuals: {
            rows: found.counterfactuals.map(({ row: values, changed, values: said, distance }) => {
              return { values: asAsked(context, values), changed: [...changed], output: [...said], distance };
            }),
            ...{ wanted: words, already: found.already },
          },
        },
      };
    },
    get notes() {
      const found = estimator.result();
      if (!found) return [];
      if (found.already) return [`the model says so already: ${words}`];
      return found.counterfactuals.length > 0 ? [] : [`no row was found of which the model says: ${words}`];
    },
  };
}

/** What the model is to say. @throws ShoalError INVALID_ARGUMENT where nobody says it */
function wantedOf({ output, options, labels }: MethodContext): { readonly wanted: Wanted; readonly words: string } {
  const { target, tolerance = 0, low, high } = options.counterfactuals ?? {};
  if (low !== undefined || high !== undefined) {
    if (target !== undefined || tolerance > 0) throw invalid('counterfactuals: either a target or a range is wanted');
    const [from, to] = [low ?? -Infinity, high ?? Infinity];
    if (!(from <= to)) throw invalid(`counterfactuals: the range from ${from} to ${to} is empty`);
    const index = output.indices[0] as number;
    const words = `${output.name}[${index}] from ${from} to ${to}`;
    return { wanted: { kind: 'range', output: index, low: from, high: to }, words };
  }
  if (!(tolerance >= 0 && tolerance < 1)) throw invalid(`counterfactuals.tolerance is ${tolerance}: expected 0 to 1`);
  const index = target ?? otherAnswer(output);
  const most = Math.max(2, output.elements);
  if (index >= most) throw invalid(`counterfactuals.target: ${index} is not below ${most}`);
  if (output.elements === 1) {
    const limit = tolerance > 0 ? 1 - tolerance : 0.5;
    const words = `${output.name}[0] ${index === 1 ? 'above' : 'at most'} ${index === 1 ? limit : 1 - limit}`;
    if (tolerance === 0) return { wanted: { kind: 'class', index }, words };
    const range = index === 1 ? { low: limit, high: Infinity } : { low: -Infinity, high: 1 - limit };
    return { wanted: { kind: 'range', output: 0, ...range }, words };
  }
  const name = labels[index] === undefined ? '' : ` (${labels[index]})`;
  if (tolerance === 0) {
    return { wanted: { kind: 'class', index }, words: `${output.name}[${index}]${name} is the largest` };
  }
  const words = `${output.name}[${index}]${name} at least ${1 - tolerance}`;
  return { wanted: { kind: 'range', output: index, low: 1 - tolerance, high: Infinity }, words };
}

/** The second largest; of one probability, the other side of one half. */
function otherAnswer({ all, elements, name }: MethodContext['output']): number {
  const own = all[0] as number;
  if (elements > 1) {
    const order = [...all.keys()].toSorted((a, b) => (all[b] as number) - (all[a] as number) || a - b);
    return order[1] as number;
  }
  if (own >= 0 && own <= 1) return own > 0.5 ? 0 : 1;
  throw invalid(
    `counterfactuals: output ${quoted(name)} is one number and no probability: say in which range it is to lie (counterfactuals.low, .high)`,
  );
}

function ruleOf(
  { players }: MethodContext,
  feature: number,
  value: number,
  rule: FeatureRuleMessage | undefined,
  data: ReturnType<typeof dataOf> | undefined,
): FeatureRule {
  if (rule?.fixed) return { kind: 'fixed' };
  if (rule && rule.values.length > 0) return { kind: 'category', values: rule.values };
  let [low, high] = [value, value];
  for (let at = 0; at < (data?.count ?? 0); at += 1) {
    const other = data?.rows[at * (data?.features ?? 0) + feature] as number;
    [low, high] = [Math.min(low, other), Math.max(high, other)];
  }
  const known = data !== undefined || (rule?.low !== undefined && rule.high !== undefined);
  if (!known) {
    const name = quoted(players.names[feature] ?? '');
    throw invalid(
      `counterfactuals: nothing says what values feature ${name} may have: give a baseline of typical rows, or a rule with low and high`,
    );
  }
  const whole = rule?.integer || wholeNumbers(players.inputs)[feature];
  return { kind: whole ? 'integer' : 'number', low: rule?.low ?? low, high: rule?.high ?? high };
}

/** A row in the precision of the model's inputs: that for which it said what it said. */
function asAsked({ players }: MethodContext, values: Float64Array): number[] {
  let at = 0;
  return players.inputs.flatMap(({ datatype, elements }) => {
    at += elements;
    return [...toNumbers(datatype, fromNumbers(datatype, values.subarray(at - elements, at)))];
  });
}
