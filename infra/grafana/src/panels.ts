import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  HeatmapCellLayout,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as BarGaugeBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { type Panel, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapTooltipBuilder,
  PanelBuilder as HeatmapBuilder,
  RowsHeatmapOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Query } from './queries';

/** Of the 24 columns of a dashboard. */
export type Width = 4 | 6 | 8 | 12 | 16 | 24;

/** The data source that the dashboard's first variable names. */
const datasource = { type: 'prometheus', uid: '${datasource}' };

/** What all panels may say. */
interface PanelText {
  readonly title: string;
  /** What one sees in it, and what to think of it; shown behind an (i). */
  readonly description: string;
  /** Grafana's name of the unit: https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/ */
  readonly unit: string;
  readonly width: Width;
}

export interface LinesOptions extends PanelText {
  readonly queries: readonly Query[];
  /** Areas on top of each other, for shares of a whole. */
  readonly stacked?: boolean;
  /** For what spans orders of magnitude. */
  readonly logarithmic?: boolean;
  readonly max?: number;
}

/** Values over time, from 0. */
export function lines({ queries, stacked = false, logarithmic = false, max, ...text }: LinesOptions): Builder<Panel> {
  const panel = described(new TimeseriesBuilder(), text, 8)
    .targets(queries.map(target))
    .lineWidth(1)
    .fillOpacity(stacked ? 40 : 8)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None).group('A'))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (max !== undefined) panel.max(max);
  if (logarithmic) panel.scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Log).log(10));
  else panel.min(0);
  return panel;
}

export interface StatOptions extends PanelText {
  readonly query: Query;
  /** From these values on it is yellow and red; below, green. Without them it has no colour. */
  readonly limits?: readonly [yellow: number, red: number];
  readonly decimals?: number;
}

/** One number, and how it came to be. */
export function stat({ query, limits, decimals, ...text }: StatOptions): Builder<Panel> {
  const panel = described(new StatBuilder(), text, 4)
    .targets([target(query, 0)])
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .graphMode(BigValueGraphMode.Area)
    .colorMode(limits ? BigValueColorMode.Value : BigValueColorMode.None)
    .textMode(BigValueTextMode.Auto)
    .noValue('–');
  if (decimals !== undefined) panel.decimals(decimals);
  if (limits) {
    const [yellow, red] = limits;
    panel.thresholds(
      new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
        // Grafana's way to say minus infinity.
        { value: null, color: 'green' },
        { value: yellow, color: 'yellow' },
        { value: red, color: 'red' },
      ]),
    );
  }
  return panel;
}

export interface HeatMapOptions extends PanelText {
  /** Buckets by `le`. */
  readonly query: Query;
}

/** How often which value came up, over time: a histogram's buckets. Exemplars are points in it. */
export function heatMap({ query, unit, ...text }: HeatMapOptions): Builder<Panel> {
  return described(new HeatmapBuilder(), { ...text, unit: 'short' }, 9)
    .targets([target(query, 0)])
    .calculate(false)
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Auto))
    .cellGap(1)
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Blues').steps(64).reverse(false))
    .yAxis(new YAxisConfigBuilder().unit(unit))
    .tooltip(new HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true))
    .showLegend();
}

export interface BarsOptions extends PanelText {
  /** A bar each. */
  readonly queries: readonly Query[];
}

/** Values of now, side by side. */
export function bars({ queries, ...text }: BarsOptions): Builder<Panel> {
  return described(new BarGaugeBuilder(), text, 9)
    .targets(queries.map((query, index) => target(query, index).instant()))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .orientation(VizOrientation.Horizontal)
    .min(0)
    .noValue('–');
}

/** What kinds of panels have in common. */
interface Describable {
  title(title: string): this;
  description(description: string): this;
  unit(unit: string): this;
  datasource(source: typeof datasource): this;
  span(width: number): this;
  height(height: number): this;
}

function described<Kind extends Describable>(panel: Kind, text: PanelText, height: number): Kind {
  return panel
    .title(text.title)
    .description(text.description)
    .unit(text.unit)
    .datasource(datasource)
    .span(text.width)
    .height(height);
}

function target(query: Query, index: number): DataqueryBuilder {
  const built = new DataqueryBuilder()
    .refId(String.fromCodePoint('A'.codePointAt(0)! + index))
    .datasource(datasource)
    .expr(query.expr)
    .range();
  if (query.legend !== undefined) built.legendFormat(query.legend);
  if (query.exemplars) built.exemplar(true);
  if (query.buckets) built.format(PromQueryFormat.Heatmap);
  return built;
}
