import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type BenchModel, benchModels, configText } from './bench-models';

/** Where a model's ONNX file lies in a repository. */
export function modelFile(repository: string, model: BenchModel): string {
  return path.join(repository, model.name, '1', 'model.onnx');
}

/** Writes all bench models as a repository of ONNX models. */
export function writeRepository(repository: string): void {
  for (const model of Object.values(benchModels)) {
    const file = modelFile(repository, model);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, model.onnx());
    writeFileSync(path.join(repository, model.name, 'config.pbtxt'), configText(model, 'platform: "onnxruntime_onnx"'));
  }
}
