import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { makeStream } from '../../test/support/streams.ts';
import { Durations } from './durations.ts';
import { Prometheus } from './prometheus.ts';
import { RequestMeter } from './request-meter.ts';
import { TrafficMeter } from './traffic-meter.ts';

test('what has been counted, in the form that Prometheus reads', async () => {
  const requests = new RequestMeter();
  const traffic = new TrafficMeter(new ManualClock());
  const logSyncs = new Durations();
  let writable = true;
  const prometheus = new Prometheus({
    version: () => '1.2.3',
    operations: requests.operations,
    traffic: traffic.totals,
    streams: () => ({ streams: 2, partitions: 5 }),
    logWritable: () => writable,
    logSyncs,
    dump: () => ({
      queued: 1,
      uploading: 2,
      files: 3,
      records: 4,
      bytes: 5,
      failedAttempts: 6,
      givenUp: 7,
      deadLetters: 8,
      seconds: Infinity,
      tasksAtRisk: 9,
      tasksByState: new Map([['ERROR', 10]]),
    }),
  });
  const expose = async () => (await prometheus.expose()).text.split('\n').filter((line) => line.startsWith('sluice_'));

  requests.count('putRecords', 200, 1);
  requests.count('putRecords', 200, 1.001);
  requests.count('putRecords', 429, 20_000);
  const [partition] = makeStream().partitions;
  traffic.countPut(1, [{ partition: partition!, count: 3, dataBytes: 10 }], 1);
  logSyncs.observe(0);
  const lines = await expose();
  for (const line of [
    'sluice_build_info{version="1.2.3"} 1',
    'sluice_http_requests_total{operation="putRecords",status="2xx"} 2',
    'sluice_http_requests_total{operation="putRecords",status="4xx"} 1',
    'sluice_http_request_duration_seconds_bucket{operation="putRecords",le="0.001"} 1',
    'sluice_http_request_duration_seconds_bucket{operation="putRecords",le="0.0025"} 2',
    'sluice_http_request_duration_seconds_bucket{operation="putRecords",le="10"} 2',
    'sluice_http_request_duration_seconds_bucket{operation="putRecords",le="+Inf"} 3',
    'sluice_http_request_duration_seconds_count{operation="putRecords"} 3',
    'sluice_put_records_total 3',
    'sluice_put_bytes_total 10',
    'sluice_get_records_total 0',
    'sluice_streams 2',
    'sluice_partitions 5',
    'sluice_log_writable 1',
    'sluice_log_sync_duration_seconds_bucket{le="0.001"} 1',
    'sluice_log_sync_duration_seconds_sum 0',
    'sluice_dump_queued 1',
    'sluice_dump_uploading 2',
    'sluice_dump_files_total 3',
    'sluice_dump_records_total 4',
    'sluice_dump_bytes_total 5',
    'sluice_dump_failed_attempts_total 6',
    'sluice_dump_given_up_total 7',
    'sluice_dump_dead_letters_total 8',
    'sluice_dump_expiry_seconds +Inf',
    'sluice_dump_tasks_at_risk 9',
    'sluice_dump_tasks{state="ERROR"} 10',
  ]) {
    assert.ok(lines.includes(line), `${line}\nis not in\n${lines.join('\n')}`);
  }
  const sum = lines.find((line) => line.startsWith('sluice_http_request_duration_seconds_sum'));
  assert.ok(Math.abs(Number(sum?.split(' ')[1]) - 20.002001) < 1e-9);

  // A second look tells the same, and not twice as much.
  assert.deepEqual(await expose(), lines);
  writable = false;
  assert.ok((await expose()).includes('sluice_log_writable 0'));
});
