/** What the two metrics operations have in common: their parameters and the form of their answer. */
import type { Metric, MetricsRequest } from '../../../metrics/query-metrics.ts';
import { queryOf, text, type Query } from '../../query.ts';

export const METRICS_QUERY = queryOf({
  label: text('the metric; this or label_list'),
  label_list: text('several metrics with commas between them'),
  start_time: text('seconds since 1970 in 10 digits, within the last 7 days; default an hour before end_time'),
  end_time: text('seconds since 1970 in 10 digits; default now'),
});

export function readMetricsRequest(query: Query): MetricsRequest {
  const { label, label_list: labelList, start_time: start, end_time: end } = METRICS_QUERY.read(query);
  return { label, labelList, start, end };
}

/** `metrics` is always there: clients read it, and it alone for partitions, whichever way they asked. */
export function metricsReply(request: MetricsRequest, series: readonly [Metric, ...Metric[]]) {
  return { metrics: series[0], metrics_list: request.labelList === undefined ? undefined : series };
}
