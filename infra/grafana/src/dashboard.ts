import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';

/** Panels under one heading, from left to right. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
}

/** What a dashboard lets one choose by. */
export type Choice = 'model' | 'instance';

export interface DashboardOptions {
  /** Part of its address and of its file's name. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly choices: readonly Choice[];
  readonly rows: readonly Row[];
}

/** What links the dashboards to each other. */
const tag = 'shoal';

/** A whole dashboard as Grafana reads it from a file. */
export function dashboard({ name, title, description, choices, rows }: DashboardOptions): Dashboard {
  const builder = new DashboardBuilder(`Shoal: ${title}`)
    .uid(`shoal-${name}`)
    .description(description)
    .tags([tag])
    .readonly()
    .refresh('15s')
    .time({ from: 'now-30m', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('Shoal')
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  if (choices.includes('model')) {
    builder
      .withVariable(labelVariable('model', 'nv_inference_pending_request_count'))
      .withVariable(labelVariable('version', 'nv_inference_pending_request_count{model=~"$model"}'));
  }
  if (choices.includes('instance')) builder.withVariable(labelVariable('instance', 'shoal_build_info'));
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panel);
  }
  return builder.build();
}

/** Lets one choose among the values of a label that `series` have: any number of them, all at first. */
function labelVariable(label: string, series: string): QueryVariableBuilder {
  return (
    new QueryVariableBuilder(label)
      .datasource({ type: 'prometheus', uid: '${datasource}' })
      .query({ query: `label_values(${series}, ${label})`, refId: label })
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc)
      .multi(true)
      .includeAll(true)
      // Also what has no such label value yet, and shorter than all values.
      .allValue('.*')
      .current({ selected: true, text: ['All'], value: ['$__all'] })
  );
}
