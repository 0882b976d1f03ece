import { ShoalError } from '@shoal/core';
import { errorTexts, parseModelVersion } from '@shoal/protocol';
import type { Catalog } from '../catalog/catalog';
import type { TrafficRules } from './traffic-rules';

/** So long may a header's name or value be. */
const maxHeaderLength = 256;
const maxHeaderValues = 64;
/** Headers that show who may do what (docs/access.md). */
const secrets = /^(?:authorization|x-api-key|triton-grpc-protocol-.*)$/;

/**
 * The rules with their versions in canonical digits.
 * @throws ShoalError INVALID_ARGUMENT for what cannot be, NOT_FOUND for a model or version that is unknown, FAILED_PRECONDITION for a
 *   version that is not ready.
 */
export function checkRules(model: string, rules: TrafficRules, catalog: Catalog): TrafficRules {
  checkModel(model, catalog);
  const stable = rules.stable === '' ? '' : checkVersion(model, rules.stable, 'the stable version', catalog);
  const serving = catalog.find(model, stable)?.version ?? '';
  const latest = stable === '' ? ', the latest, which is the stable one as no other is named' : '';
  const checked: { -readonly [K in keyof TrafficRules]: TrafficRules[K] } = { stable };
  if (rules.canary) {
    const { header, sticky } = rules.canary;
    const version = checkVersion(model, rules.canary.version, 'the canary', catalog);
    if (version === serving)
      throw invalid(`the canary is version ${version}${latest}: it must be another than the stable one`);
    checkPercent('canary', rules.canary.percent);
    if (header) checkHeader(header.name, header.values);
    if (sticky !== undefined) checkHeader(sticky, []);
    checked.canary = { ...rules.canary, version };
  }
  if (rules.shadow) {
    const { percent, tolerance } = rules.shadow;
    const version = checkVersion(model, rules.shadow.version, 'the shadow', catalog);
    if (version === serving)
      throw invalid(`the shadow is version ${version}${latest}: it must be another than the stable one`);
    checkPercent('shadow', percent);
    for (const kind of ['absolute', 'relative'] as const) {
      if (tolerance[kind] >= 0 && tolerance[kind] < Infinity) continue;
      throw invalid(`the ${kind} tolerance is ${tolerance[kind]}: expected a number from 0`);
    }
    checked.shadow = { ...rules.shadow, version };
  }
  return checked;
}

/** @throws ShoalError NOT_FOUND for a model that was never loaded. */
export function checkModel(model: string, catalog: Catalog): void {
  if (!catalog.entry(model)?.hasVersions) throw errorTexts.unknownModel(model);
}

function checkVersion(model: string, text: string, what: string, catalog: Catalog): string {
  const version = parseModelVersion(text);
  if (version === undefined) throw invalid(`${what} is '${errorTexts.clip(text)}': expected a version number`);
  const entry = catalog.entry(model)?.version(version);
  if (!entry) throw errorTexts.unknownVersion(model, version);
  if (entry.ready) return version;
  const { state, reason } = entry.announcement;
  const why = reason === '' ? state : `${state}: ${reason}`;
  throw new ShoalError('FAILED_PRECONDITION', `version ${version} of model '${model}' is not ready (${why})`);
}

function checkPercent(what: string, percent: number): void {
  if (percent >= 0 && percent <= 100) return;
  throw invalid(`the ${what}'s share is ${percent}: expected a percentage from 0 to 100`);
}

function checkHeader(name: string, values: readonly string[]): void {
  if (!/^[0-9a-z_.-]+$/.test(name) || name.length > maxHeaderLength || name.endsWith('-bin')) {
    throw invalid(
      `'${errorTexts.clip(name)}' is no header's name: expected lower-case letters, digits, _ . -, and not -bin at its end`,
    );
  }
  if (values.length > 0 && secrets.test(name)) {
    throw invalid(`the values of header ${name} are secrets: rules are stored, and shown to others`);
  }
  if (values.length > maxHeaderValues) throw invalid(`header ${name} has more than ${maxHeaderValues} values`);
  const long = values.find((value) => value.length > maxHeaderLength);
  if (long !== undefined) throw invalid(`a value of header ${name} is longer than ${maxHeaderLength} characters`);
}

function invalid(message: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', message);
}
