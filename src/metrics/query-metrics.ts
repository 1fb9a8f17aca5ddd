/**
 * The metrics of a stream or of one of its partitions: a point a minute over a stretch of time, without gaps, zero where
 * nothing happened. A series begins with the stream and ends with the present minute, so it is never longer than the
 * seven days that are kept.
 */
import { WHOLE_STREAM } from '../catalog/metric-points.ts';
import { DomainError } from '../model/errors.ts';
import type { Partition, Stream } from '../model/stream.ts';
import type { Clock } from '../platform/clock.ts';
import { PARTITION_LABELS, STREAM_LABELS, type MetricValue } from './labels.ts';
import { KEPT_DAYS, KEPT_MINUTES, type MetricHistory } from './metric-history.ts';
import { minuteOf } from './traffic-meter.ts';

export interface MetricsRequest {
  readonly label: string | undefined;
  /** Several labels with commas between them; wins over `label`. */
  readonly labelList: string | undefined;
  /** Seconds since 1970 in ten digits. Absent: an hour before the end. */
  readonly start: string | undefined;
  /** Likewise, inclusive; absent: now. */
  readonly end: string | undefined;
}

export interface Metric {
  readonly label: string;
  /** `timestamp`: the beginning of the minute in seconds since 1970. */
  readonly dataPoints: readonly { readonly timestamp: number; readonly value: number }[];
}

export interface MetricsDeps {
  readonly metricHistory: MetricHistory;
  readonly clock: Clock;
}

const DEFAULT_SECONDS = 3600;
const SECONDS = /^\d{10}$/;

/**
 * One series a label, in the order of the request; a label that is named twice counts once. `partition` undefined: the
 * whole stream. Throws InvalidMetricLabel, InvalidMetricStart, MetricTooOld.
 */
export async function queryMetrics(
  { metricHistory, clock }: MetricsDeps,
  stream: Stream,
  partition: Partition | undefined,
  request: MetricsRequest,
): Promise<[Metric, ...Metric[]]> {
  const now = clock.now();
  const [first, ...others] = labelsOf(request, partition === undefined ? STREAM_LABELS : PARTITION_LABELS);
  const asked = minutesOf(request, now);
  const from = Math.max(asked.from, minuteOf(stream.createdAt));
  const to = Math.min(asked.to, minuteOf(now));
  const minutes = await metricHistory.read(stream.number, partition?.ref.partition ?? WHOLE_STREAM, from, to);

  const series = ([label, valueOf]: [string, MetricValue]): Metric => {
    const dataPoints = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => {
      const counters = minutes.get(from + index);
      return { timestamp: (from + index) * 60, value: counters === undefined ? 0 : valueOf(counters) };
    });
    return { label, dataPoints };
  };
  return [series(first), ...others.map(series)];
}

type Labels = [[string, MetricValue], ...[string, MetricValue][]];

function labelsOf({ label, labelList }: MetricsRequest, known: Readonly<Record<string, MetricValue>>): Labels {
  const named = labelList === undefined ? [label ?? ''] : labelList.split(',');
  const [first, ...others] = [...new Set(named)].map((name): [string, MetricValue] => {
    const valueOf = Object.hasOwn(known, name) ? known[name] : undefined;
    if (valueOf === undefined) throw new DomainError('InvalidMetricLabel', [name.slice(0, 64)]);
    return [name, valueOf];
  });
  return [first!, ...others];
}

/** The minutes that [start, end] touches. */
function minutesOf({ start, end }: MetricsRequest, now: number): { readonly from: number; readonly to: number } {
  const last = seconds('end_time', end) ?? Math.floor(now / 1000);
  const first = seconds('start_time', start) ?? last - DEFAULT_SECONDS;
  if (first > last) throw new DomainError('InvalidMetricStart', ['start_time', 'must not be after end_time']);
  const from = minuteOf(first * 1000);
  if (from < minuteOf(now) - KEPT_MINUTES) throw new DomainError('MetricTooOld', ['start_time', first, KEPT_DAYS]);
  return { from, to: minuteOf(last * 1000) };
}

function seconds(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!SECONDS.test(text))
    throw new DomainError('InvalidMetricStart', [name, 'must be seconds since 1970 in 10 digits']);
  return Number(text);
}
