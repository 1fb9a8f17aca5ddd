/** Every metric of the Prometheus page, in a registry of its own, each read from its source when it is asked for. */
import { collectDefaultMetrics, Counter, Gauge, Registry, type Metric } from 'prom-client';
import { DURATION_BOUNDS, type Durations } from './durations.ts';
import type { PrometheusSources } from './prometheus.ts';

type Labels = Readonly<Record<string, string>>;

export function makeRegistry(sources: PrometheusSources): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });

  const { operations, traffic, streams, logWritable, logSyncs, dump } = sources;
  new Gauge({ name: 'sluice_build_info', help: 'The version that runs.', labelNames: ['version'], registers })
    .labels(sources.version())
    .set(1);

  new Counter({
    name: 'sluice_http_requests_total',
    help: 'Requests that were answered, by operation and class of status.',
    labelNames: ['operation', 'status'],
    registers,
    collect() {
      this.reset();
      for (const [operation, { statuses }] of operations) {
        statuses.forEach((count, digit) => count > 0 && this.inc({ operation, status: `${digit}xx` }, count));
      }
    },
  });
  registry.registerMetric(
    histogram(
      'sluice_http_request_duration_seconds',
      'From the headers of a request to the end of its answer, by operation.',
      () => [...operations].map(([operation, { durations }]) => ({ labels: { operation }, durations })),
    ),
  );

  counter('sluice_put_records_total', 'Records stored.', () => traffic.put_records);
  counter('sluice_put_bytes_total', 'Payload bytes of the records stored.', () => traffic.put_bytes);
  counter('sluice_get_records_total', 'Records served.', () => traffic.get_records);
  counter('sluice_get_bytes_total', 'Payload bytes of the records served.', () => traffic.get_bytes);
  counter('sluice_throttled_puts_total', 'Puts with records refused by flow control.', () => traffic.put_throttled);
  counter('sluice_throttled_gets_total', 'Gets refused by flow control.', () => traffic.get_throttled);
  gauge('sluice_streams', 'Streams of all projects.', () => streams().streams);
  gauge('sluice_partitions', 'Partitions that take records.', () => streams().partitions);

  gauge('sluice_log_writable', '1 while the record log takes records, 0 after a storage failure.', () =>
    logWritable() ? 1 : 0,
  );
  registry.registerMetric(
    histogram('sluice_log_sync_duration_seconds', 'Write and sync of one group of appends.', () => [
      { labels: {}, durations: logSyncs },
    ]),
  );

  gauge('sluice_dump_queued', 'Planned cuts that wait for an upload slot.', () => dump().queued);
  gauge(
    'sluice_dump_uploading',
    'Cuts, merges, redrives, manifests and removals that are under way.',
    () => dump().uploading,
  );
  counter('sluice_dump_files_total', 'Files delivered.', () => dump().files);
  counter('sluice_dump_records_total', 'Records in the files delivered.', () => dump().records);
  counter('sluice_dump_bytes_total', 'Bytes of the files delivered.', () => dump().bytes);
  counter(
    'sluice_dump_failed_attempts_total',
    'Attempts that failed and are followed by others.',
    () => dump().failedAttempts,
  );
  counter('sluice_dump_dead_letters_total', 'Records that could not be converted.', () => dump().deadLetters);
  counter('sluice_dump_given_up_total', 'Ranges of records that will never be delivered.', () => dump().givenUp);
  gauge(
    'sluice_dump_expiry_seconds',
    'Until the first undelivered record expires; +Inf when none waits, below 0 when records have expired.',
    () => dump().seconds,
  );
  gauge(
    'sluice_dump_tasks_at_risk',
    'Tasks with undelivered records that have used up three quarters of their retention.',
    () => dump().tasksAtRisk,
  );
  new Gauge({
    name: 'sluice_dump_tasks',
    help: 'Dump tasks and backfills by state.',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      for (const [state, count] of dump().tasksByState) this.set({ state }, count);
    },
  });
  return registry;
}

interface Series {
  readonly labels: Labels;
  readonly durations: Durations;
}

/** The library's own histograms count by themselves; this one is read from what has been counted already. */
function histogram(name: string, help: string, read: () => readonly Series[]): Metric {
  const get = () =>
    Promise.resolve({ name, help, type: 'histogram', values: read().flatMap((series) => lines(name, series)) });
  // All that a registry does with a metric is to ask it this.
  return { name, get } as unknown as Metric;
}

function lines(name: string, { labels, durations }: Series) {
  let total = 0;
  const buckets = Array.from(durations.counts, (count, index) => {
    total += count;
    const le = String(DURATION_BOUNDS[index] ?? '+Inf');
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: durations.seconds },
    { metricName: `${name}_count`, labels, value: total },
  ];
}
