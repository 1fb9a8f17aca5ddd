/** The metrics that may be asked for, by label, and how each is read from the counters of a minute. */
import type { Counters } from '../catalog/metric-points.ts';

/** A whole number. */
export type MetricValue = (minute: Counters) => number;

export const PARTITION_LABELS: Readonly<Record<string, MetricValue>> = {
  total_put_bytes_per_partition: (minute) => minute.put_bytes,
  total_get_bytes_per_partition: (minute) => minute.get_bytes,
  total_put_records_per_partition: (minute) => minute.put_records,
  total_get_records_per_partition: (minute) => minute.get_records,
};

const throttledPuts: MetricValue = (minute) => minute.put_throttled;
const throttledGets: MetricValue = (minute) => minute.get_throttled;

export const STREAM_LABELS: Readonly<Record<string, MetricValue>> = {
  total_put_bytes_per_stream: (minute) => minute.put_bytes,
  total_get_bytes_per_stream: (minute) => minute.get_bytes,
  total_put_records_per_stream: (minute) => minute.put_records,
  total_get_records_per_stream: (minute) => minute.get_records,
  total_put_req_latency: ({ put_ms, put_requests }) => average(put_ms, put_requests),
  total_get_req_latency: ({ get_ms, get_requests }) => average(get_ms, get_requests),
  total_put_req_suc_per_stream: (minute) => minute.put_requests,
  total_get_req_suc_per_stream: (minute) => minute.get_requests,
  traffic_control_put: throttledPuts,
  traffic_control_get: throttledGets,
  // As the text of the documents and the .NET client spell them.
  traffic_controll_put: throttledPuts,
  traffic_controll_get: throttledGets,
};

function average(sum: number, count: number): number {
  return count === 0 ? 0 : Math.round(sum / count);
}
