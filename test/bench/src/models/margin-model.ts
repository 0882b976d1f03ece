import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../project-root';
import type { BenchModel } from './bench-models';
import { withOutput } from './with-output';

/** The trees of the demo model `breast_cancer`: 30 measurements → the summed score, whose Shapley values TreeSHAP knows exactly. */
export const marginModel: BenchModel = {
  name: 'breast_cancer_margin',
  onnx: () => {
    const file = path.join(projectRoot, 'models/breast_cancer/1/model.onnx');
    return withOutput(readFileSync(file), { name: 'margin', type: 'float', shape: ['N', 1] });
  },
  // Requests of an explanation are as large as a model takes, and the server lets them be: here 250 rows.
  maxBatchSize: 1024,
  batches: true,
  inputs: [{ name: 'measurements', type: 'FP32', dims: [30] }],
  outputs: [{ name: 'margin', type: 'FP32', dims: [1] }],
};
