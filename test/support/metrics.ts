/** What a process prints when it serves metrics. */
export const servesMetrics = /Serves metrics at (\S+)/;

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** Metrics as they were at one moment, in either text format; exemplars are left out. */
export class Scrape {
  readonly text: string;
  /** Types by name. */
  readonly types = new Map<string, string>();
  readonly samples: readonly Sample[];

  constructor(text: string) {
    this.text = text;
    const lines = text.split('\n').filter((line) => line !== '');
    for (const line of lines) {
      const [, name, type] = /^# TYPE (\S+) (\S+)(?: # .*)?$/.exec(line) ?? [];
      if (name !== undefined && type !== undefined) this.types.set(name, type);
    }
    this.samples = lines.filter((line) => !line.startsWith('#')).map(sampleOf);
  }

  /** The sum of all samples of that name which have these labels, and whatever others; undefined where there is none. */
  value(name: string, labels: Labels = {}): number | undefined {
    const found = this.samples.filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }

  /** Metrics of which a sample is not 0; of histograms, those that have seen a value. */
  changed(): string[] {
    const names = new Set(this.samples.filter(({ value }) => value !== 0).map(({ name }) => name));
    return [...this.types]
      .filter(([name, type]) => names.has(type === 'histogram' ? `${name}_count` : name))
      .map(([name]) => name);
  }
}

/** Reads the metrics at an address. */
export async function scrape(url: string, accept = 'text/plain'): Promise<Scrape> {
  const response = await fetch(url, { headers: { accept, connection: 'close' } });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return new Scrape(await response.text());
}

function sampleOf(line: string): Sample {
  const [, name, inner = '', value] = /^(\w+)(?:\{(.*?)\})? (\S+)(?: # .*)?$/.exec(line) ?? [];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  const labels = [...inner.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', text = '']) => [label, text] as const);
  return { name, labels: Object.fromEntries(labels), value: Number(value) };
}
