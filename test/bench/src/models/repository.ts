import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type BenchModel, benchModels, configText } from './bench-models';

/** Where a model's ONNX file lies in a repository. */
export function modelFile(repository: string, model: BenchModel): string {
  return path.join(repository, model.name, '1', 'model.onnx');
}

/** Writes models as a repository of ONNX models: all bench models unless others are given. */
export function writeRepository(repository: string, models: readonly BenchModel[] = Object.values(benchModels)): void {
  for (const model of models) {
    const file = modelFile(repository, model);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, model.onnx());
    writeFileSync(path.join(repository, model.name, 'config.pbtxt'), configText(model, 'platform: "onnxruntime_onnx"'));
  }
}
