import {
  type Anchor,
  type AnchorOptions,
  type Label,
  type Predicate,
  anchorOfMasks,
  anchorOfRow,
  identityLink,
  usualLabel,
} from '@shoal/explain';
import type { AskSource } from '../perturbing/ask';
import { CoalitionSource } from '../perturbing/coalition-source';
import { RowSource } from '../perturbing/row-source';
import { invalid } from '../requests/refuse';
import type { Answer, Method, MethodContext, Running } from './method';
import { dataOf, refuseUnknown, rowOf, unattributed } from './numbers';

/** Rules for people. */
export const anchorMethods: readonly Method[] = [
  {
    name: 'anchors',
    summary: 'a rule on few features under which the model nearly always answers the same, with bounds on how often',
    needs: 'predictions',
    answers: 'anchor',
    start: (context) => (isTable(context) ? ofTable(context) : ofPlayers(context)),
  },
];

/** Single numbers, and rows that say what values they have. */
function isTable({ players, background }: MethodContext): boolean {
  return players.single && background.count > 1 && background.source !== 'generated';
}

function ofTable(context: MethodContext): Running {
  const { players, seed, options } = context;
  const { bins = 0, categorical = [] } = options.anchors ?? {};
  const row = rowOf(context, 'anchors');
  refuseUnknown(categorical, row.length, 'anchors.categorical');
  if (bins === 1) throw invalid('anchors.bins: expected 2 or more, 0 = 4');
  const estimator = anchorOfRow({
    ...optionsOf(context),
    ...{ row, data: dataOf(context, 'anchors'), categorical, seed, label: labelOf(context) },
    ...(bins > 0 && { bins }),
  });
  return running(context, new RowSource(estimator, players.inputs), () => {
    const found = estimator.result();
    return found && { anchor: found, predicates: found.predicates.map(predicateOf) };
  });
}

/** What must be present. */
function ofPlayers(context: MethodContext): Running {
  const { players, seed, masker, background, output, options } = context;
  const { bins = 0, categorical = [] } = options.anchors ?? {};
  if (bins > 0 || categorical.length > 0) {
    throw invalid('anchors: bins and categories are of single numbers, with a baseline of several rows');
  }
  const estimator = anchorOfMasks({
    ...optionsOf(context),
    ...{ players: players.sizes.length, seed, label: labelOf(context) },
  });
  // Of all elements, as the model gives them: a label is none of their logits.
  const parts = { masker, link: identityLink(), weights: background.weights, ends: { full: output.all } };
  return running(context, new CoalitionSource(estimator, parts), () => {
    const found = estimator.result();
    return found && { anchor: found, predicates: found.features.map((feature) => ({ feature })) };
  });
}

function optionsOf({ options, budget }: MethodContext): AnchorOptions {
  const own = options.anchors;
  const batch = Math.min(100, Math.floor((budget - 1) / 2));
  if (batch < 1) throw invalid(`anchors: a budget of ${budget} evaluations is too small for a rule`);
  for (const name of ['precision', 'delta', 'tolerance'] as const) {
    const value = own?.[name] ?? 0;
    if (!(value >= 0 && value < 1)) throw invalid(`anchors.${name} is ${value}: expected from 0 to less than 1`);
  }
  return {
    ...{ batch, budget },
    ...(own && own.precision > 0 && { precision: own.precision }),
    ...(own && own.delta > 0 && { delta: own.delta }),
    ...(own && own.tolerance > 0 && { tolerance: own.tolerance }),
    ...(own && own.beam > 0 && { beam: own.beam }),
    ...(own && own.max_size > 0 && { maxSize: own.max_size }),
  };
}

/** What counts as the same answer. @throws ShoalError INVALID_ARGUMENT where nobody says so */
function labelOf({ output, options }: MethodContext): Label {
  const within = options.anchors?.same_within ?? 0;
  const own = output.all[0] ?? Number.NaN;
  if (output.elements > 1) {
    if (within > 0) throw invalid('anchors.same_within is of outputs of one number; of several, the largest counts');
    return usualLabel;
  }
  if (within > 0) return (values) => (Math.abs((values[0] as number) - own) <= within ? 1 : 0);
  if (own >= 0 && own <= 1) return usualLabel;
  throw invalid(
    `anchors: output '${output.name}' is one number and no probability: say what is near enough to be the same (anchors.same_within)`,
  );
}

interface Found {
  readonly anchor: Anchor;
  readonly predicates: readonly object[];
}

function running(context: MethodContext, source: AskSource, found: () => Found | undefined): Running {
  const { output, labels } = context;
  const indices = Array.from({ length: output.elements }, (_, index) => index);
  return {
    source,
    requests: context.requests({ ...output, indices }),
    answer(): Answer | undefined {
      const now = found();
      if (!now) return undefined;
      const { precision, lower, upper, coverage, samples, label, stopReason, evaluations } = now.anchor;
      return {
        outputs: unattributed(context),
        exact: false,
        converged: now.anchor.found && stopReason === 'target_error',
        ...{ stopReason, evaluations },
        fields: {
          anchor: {
            ...{ predicates: now.predicates, precision, lower, upper, coverage, samples, found: now.anchor.found },
            answer: label,
            label: output.elements > 1 ? (labels[label] ?? '') : '',
          },
        },
      };
    },
    get notes() {
      const now = found();
      return now && !now.anchor.found
        ? [
            `no rule was found that is as precise as was asked for${now.anchor.stopReason === 'budget' ? ' within the budget' : ''}: this is the most precise one so far`,
          ]
        : [];
    },
  };
}

/** shoal.explain.v1.Predicate */
function predicateOf({ feature, above, upTo, category }: Predicate): object {
  if (category) return { feature, equal: upTo };
  return { feature, ...(above > -Infinity && { above }), ...(upTo < Infinity && { up_to: upTo }) };
}
