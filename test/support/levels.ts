import { openFiles, residentMb } from './processes';

interface Sample {
  readonly atMs: number;
  readonly mb: number;
  readonly files: number;
}

/** What one process held over time. */
export interface LevelRow {
  readonly process: string;
  /** Least resident memory in the second quarter and in the last one, MB: what garbage collection leaves. */
  readonly mb: readonly [number, number];
  readonly files: readonly [number, number];
  readonly flat: boolean;
}

/** Growth that counts as none: 10 % and 16 MB of memory, 8 descriptors. */
const growth = { share: 0.1, mb: 16, files: 8 };

/** Samples memory and descriptors of processes, and judges whether they grow. */
export class Levels {
  readonly #samples = new Map<string, Sample[]>();

  sample(process: string, pid: number, atMs: number): void {
    const samples = this.#samples.get(process) ?? [];
    this.#samples.set(process, samples);
    try {
      samples.push({ atMs, mb: residentMb(pid), files: openFiles(pid) });
    } catch {
      // It has ended.
    }
  }

  /** Second quarter against last: the first is for warming up. Peaks come and go; what counts is the least. */
  judge(totalMs: number): LevelRow[] {
    return [...this.#samples].map(([process, samples]) => {
      const least = (from: number, to: number, of: (sample: Sample) => number) =>
        Math.min(...samples.filter(({ atMs }) => atMs >= from * totalMs && atMs < to * totalMs).map(of));
      const mb = [least(0.25, 0.5, (s) => s.mb), least(0.75, 1, (s) => s.mb)] as const;
      const files = [least(0.25, 0.5, (s) => s.files), least(0.75, 1, (s) => s.files)] as const;
      const flat = mb[1] <= mb[0] * (1 + growth.share) + growth.mb && files[1] <= files[0] + growth.files;
      return { process, mb, files, flat };
    });
  }
}
