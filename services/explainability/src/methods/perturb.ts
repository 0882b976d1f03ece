import { ablation, limeOfMasks, occlusion } from '@shoal/explain';
import { invalid } from '../requests/refuse';
import type { Method, MethodContext } from './method';
import { ofGame } from './shapley';

/** LIME's samples where nobody says how many. */
const usualSamples = 1_000;

/** Methods that look at what happens when features are taken away, without sharing the output out. */
export const perturbMethods: readonly Method[] = [
  {
    name: 'ablation',
    summary: 'how far the output falls when one feature alone is absent',
    needs: 'predictions',
    start(context) {
      refuseBeyondBudget(context);
      return ofGame(context, ablation({ players: context.players.sizes.length }));
    },
  },
  {
    name: 'occlusion',
    summary: 'how far the output falls where a window hides the input, over an image’s cells or a sequence',
    needs: 'predictions',
    start(context) {
      refuseBeyondBudget(context);
      const { window = [], stride = [] } = context.options.occlusion ?? {};
      const shape = context.players.shape;
      if (!shape) throw invalid('occlusion: one input must be explained, each element by itself or by a grid');
      if (window.length !== shape.length || (stride.length > 0 && stride.length !== shape.length)) {
        throw invalid(
          `occlusion: window and stride have ${shape.length} sides, as the features do: [${shape.join(',')}]`,
        );
      }
      return ofGame(context, occlusion({ shape, window, ...(stride.length > 0 && { stride }) }));
    },
  },
  {
    name: 'lime',
    summary: 'a linear model of which features are present, fitted around the row',
    needs: 'predictions',
    start(context) {
      const { samples = 0, kernel_width: kernelWidth = 0, ridge = 0 } = context.options.lime ?? {};
      const { players, budget, seed, targetError } = context;
      if (samples > budget) throw invalid(`lime.samples: ${samples} are more than the budget of ${budget} evaluations`);
      const estimator = limeOfMasks({
        players: players.sizes.length,
        samples: samples > 0 ? samples : Math.min(budget, usualSamples),
        seed,
        targetError,
        absent: players.noun === 'words' ? 'count' : 'coin',
        ...(kernelWidth > 0 && { kernelWidth }),
        ...(ridge > 0 && { ridge }),
      });
      return {
        ...ofGame(context, estimator),
        // Its base is the linear model's intercept, not what the model says of the background.
        knowsBase: false,
        get notes() {
          const fits = estimator.result()?.outputs.map(({ r2 }) => r2.toFixed(3)) ?? [];
          return [`the local linear model explains this part of the output's variance (R²): ${fits.join(', ')}`];
        },
      };
    },
  },
];

function refuseBeyondBudget({ players, budget }: MethodContext): void {
  const most = players.sizes.length + 2;
  if (most > budget) throw invalid(`this takes ${most} evaluations, the budget is ${budget}: group the features`);
}
