import { type Attributes, type HrTime, ValueType } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, type DataPoint, type MetricData } from '@opentelemetry/sdk-metrics';
import type { Histogram } from '../histogram';
import type { AnyFamily } from '../registry';
import { otlpAttribute, otlpName } from './otlp-name';

/** A family as OpenTelemetry's exporters take it. Times are [seconds, nanoseconds] since 1970. */
export function metricData(family: AnyFamily, startTime: HrTime, endTime: HrTime): MetricData {
  const { name, unit } = otlpName(family.spec.name);
  const common = {
    descriptor: { name, unit, description: family.spec.help, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const keys = family.labels.map(otlpAttribute);
  const point = <T>(values: readonly string[], value: T): DataPoint<T> => ({
    startTime,
    endTime,
    attributes: attributesOf(keys, values),
    value,
  });
  if (family.kind === 'histogram') {
    const dataPoints = [...family.sets()].map(({ values, instrument }) =>
      point(values, histogram(instrument as Histogram)),
    );
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
  const dataPoints = [...family.sets()].map(({ values, instrument }) =>
    point(values, (instrument as { readonly value: number }).value),
  );
  if (family.kind === 'counter') return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
  return { ...common, dataPointType: DataPointType.GAUGE, dataPoints };
}

function histogram({ bounds, counts, sum, count }: Histogram) {
  return { buckets: { boundaries: [...bounds], counts: [...counts] }, sum, count };
}

/** As everywhere in OpenTelemetry, an attribute that says nothing is not there. */
function attributesOf(keys: readonly string[], values: readonly string[]): Attributes {
  const attributes: Attributes = {};
  for (const [at, key] of keys.entries()) if (values[at] !== '') attributes[key] = values[at];
  return attributes;
}
