import { ShoalError } from '@shoal/core';
import { quoted } from '../requests/refuse';
import { anchorMethods } from './anchors';
import { counterfactualMethods } from './counterfactual';
import { curveMethods } from './curves';
import { camMethods } from './grad-cam';
import { gradientMethods } from './gradient';
import { importanceMethods } from './importance';
import type { Method, MethodContext, Running } from './method';
import { perturbMethods } from './perturb';
import { riseMethods } from './rise';
import { shapleyMethods } from './shapley';
import { treeMethods } from './tree';

/** All that are served. */
export const methods: readonly Method[] = [
  ...shapleyMethods,
  ...perturbMethods,
  ...riseMethods,
  ...anchorMethods,
  ...counterfactualMethods,
  ...curveMethods,
  ...importanceMethods,
  ...gradientMethods,
  ...camMethods,
  ...treeMethods,
];

/** @throws ShoalError UNIMPLEMENTED */
export function methodNamed(name: string): Method {
  const method = methods.find((one) => one.name === name);
  if (method) return method;
  const served = methods.map((one) => one.name).join(', ');
  throw new ShoalError('UNIMPLEMENTED', `method ${quoted(name)} is not served; auto, ${served} are`);
}

/** @throws ShoalError UNIMPLEMENTED, as the method does */
export async function startMethod(name: string, context: MethodContext): Promise<Running> {
  return methodNamed(name).start(context);
}
