/** Whether a scraper would rather have OpenMetrics than Prometheus' text format, by its Accept header (RFC 9110 §12.5.1). */
export function acceptsOpenMetrics(accept: string | undefined): boolean {
  const open = weightOf(accept, 'application/openmetrics-text');
  return open > 0 && open >= weightOf(accept, 'text/plain');
}

/** 0 = not named. A range such as a wildcard names neither: who does not know the formats is to get the plain one. */
function weightOf(accept: string | undefined, type: string): number {
  let most = 0;
  for (const range of accept?.split(',') ?? []) {
    const [name, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (name !== type) continue;
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    most = Math.max(most, weight === undefined ? 1 : Number(weight.slice('q='.length)) || 0);
  }
  return most;
}
