import type { ModelConfig } from '@shoal/protocol';

/** A version folder's number, or undefined if the folder's name is none: digits, over zero, no leading zero. */
export function versionOf(folder: string): number | undefined {
  if (!/^[1-9]\d*$/.test(folder)) return undefined;
  const version = Number(folder);
  return Number.isSafeInteger(version) ? version : undefined;
}

/** Which of the versions that are present a config's version policy asks for; ascending. */
export function versionsToLoad(policy: ModelConfig['version_policy'], present: readonly number[]): number[] {
  const ascending = [...new Set(present)].sort((a, b) => a - b);
  if (policy?.specific) {
    const wanted = new Set(policy.specific.versions.map(Number));
    return ascending.filter((version) => wanted.has(version));
  }
  if (policy?.all) return ascending;
  const count = policy?.latest ? policy.latest.num_versions : 1;
  return count > 0 ? ascending.slice(-count) : [];
}

/** The versions that a policy names but the repository lacks: worth a word in the log. */
export function missingVersions(policy: ModelConfig['version_policy'], present: readonly number[]): number[] {
  const there = new Set(present);
  return (policy?.specific?.versions ?? []).map(Number).filter((version) => !there.has(version));
}
