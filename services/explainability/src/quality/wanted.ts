import type { MethodContext } from '../methods/method';
import { methods } from '../methods/methods';
import type { ExplainRequestMessage } from '../requests/messages';
import { invalid, quoted } from '../requests/refuse';

/** Rows nearby that are explained at most: each is a whole explanation. */
const mostSensitivitySamples = 100;

/** Whether any measure is asked for. */
export function wantsQuality({ quality }: ExplainRequestMessage): boolean {
  if (!quality) return false;
  return quality.infidelity_samples + quality.sensitivity_samples > 0 || quality.deletion || quality.insertion;
}

/** @throws ShoalError INVALID_ARGUMENT for measures that there cannot be, before anything is evaluated */
export function refuseUnmeasurable(message: ExplainRequestMessage, { players, budget }: MethodContext): void {
  const { quality, method = '' } = message;
  if (!quality || !wantsQuality(message)) return;
  const { answers = 'values' } = methods.find(({ name }) => name === method) ?? {};
  if (answers !== 'values' && answers !== 'map') {
    throw invalid(`quality: ${method} gives features no values that could be measured`);
  }
  if (quality.infidelity_samples > budget) {
    throw invalid(`quality.infidelity_samples: ${quality.infidelity_samples} are more than the budget of ${budget}`);
  }
  if (quality.sensitivity_samples === 0) return;
  if (quality.sensitivity_samples > mostSensitivitySamples) {
    throw invalid(
      `quality.sensitivity_samples: at most ${mostSensitivitySamples}, each of which is a whole explanation, got ${quality.sensitivity_samples}`,
    );
  }
  if (!(quality.sensitivity_radius >= 0)) {
    throw invalid(`quality.sensitivity_radius is ${quality.sensitivity_radius}: expected 0 or more`);
  }
  const fixed = [...players.texts, ...players.inputs.filter(({ datatype }) => !/^(?:FP|BF)/.test(datatype))][0];
  if (fixed) {
    throw invalid(
      `quality.sensitivity: input ${quoted(fixed.name)} is of ${fixed.datatype}, which cannot be moved a little`,
    );
  }
}
