/** Metrics over HTTP: every label, the two ways to ask for several, time windows, and what Prometheus gets. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { NODES } from '../../support/backend.ts';
import { DisClient, toBase64 } from '../../support/dis-client.ts';
import { expectError, expectJson } from '../../support/expect.ts';
import type { TwoProjects } from '../../support/two-projects.ts';

const DAY_SECONDS = 86_400;
const STREAM_LABELS = [
  'total_put_bytes_per_stream',
  'total_get_bytes_per_stream',
  'total_put_records_per_stream',
  'total_get_records_per_stream',
  'total_put_req_latency',
  'total_get_req_latency',
  'total_put_req_suc_per_stream',
  'total_get_req_suc_per_stream',
  'traffic_control_put',
  'traffic_control_get',
];
const PARTITION_LABELS = ['put_bytes', 'get_bytes', 'put_records', 'get_records'].map(
  (what) => `total_${what}_per_partition`,
);

interface Metric {
  readonly label: string;
  readonly dataPoints: readonly { readonly timestamp: number; readonly value: number }[];
}

export function runMetricsConformance(getTarget: () => TwoProjects): void {
  describe('metrics', () => {
    const stream = `m${randomBytes(4).toString('hex')}`;
    let dis: DisClient;
    let other: DisClient;

    before(async () => {
      const target = getTarget();
      dis = await DisClient.login(target);
      other = await DisClient.login(target, { projectId: target.otherProjectId });
      await dis.createStream(stream, 2);
      await dis.store(stream, [
        { data: toBase64('12345'), partition_id: '0', partition_key: 'not counted' },
        { data: toBase64('678'), partition_id: '1' },
      ]);
      await dis.store(stream, [{ data: toBase64('9'), partition_id: '1' }]);
      await dis.page(await dis.cursor(stream, 0));
      await dis.page(await dis.cursor(stream, 1), { limit: 1 });
    });
    after(async () => {
      await dis.deleteStream(stream);
      dis.close();
      other.close();
    });

    const seconds = () => Math.floor(Date.now() / 1000);
    const recent = () => ({ start_time: seconds() - 600, end_time: seconds() });
    const show = (query: Record<string, string | number>, place = '') =>
      dis.call('GET', `/streams/${stream}${place}/metrics`, { query });
    const sum = ({ dataPoints }: Metric) => dataPoints.reduce((total, { value }) => total + value, 0);
    const sums = (list: readonly Metric[]) => Object.fromEntries(list.map((metric) => [metric.label, sum(metric)]));
    const refuses = async (query: Record<string, string | number>, code: string, message?: RegExp) => {
      expectError(await show(query), 400, code, message);
      expectError(await show(query, '/partitions/0'), 400, code);
    };

    test('what was put and read is told at once', async () => {
      const answer = await show({ ...recent(), label_list: STREAM_LABELS.join(',') });
      expectJson(answer);
      const list = answer.json.metrics_list as Metric[];
      assert.deepEqual(
        list.map(({ label }) => label),
        STREAM_LABELS,
      );
      assert.deepEqual(answer.json.metrics, list[0]);
      const { total_put_req_latency: put, total_get_req_latency: got, ...rest } = sums(list);
      assert.deepEqual(rest, {
        total_put_bytes_per_stream: 9,
        total_get_bytes_per_stream: 8,
        total_put_records_per_stream: 3,
        total_get_records_per_stream: 2,
        total_put_req_suc_per_stream: 2,
        total_get_req_suc_per_stream: 2,
        traffic_control_put: 0,
        traffic_control_get: 0,
      });
      for (const latency of [put, got]) assert.ok(latency !== undefined && latency >= 0 && latency < 60_000);
    });

    test('each partition has its own', async () => {
      const query = { ...recent(), label_list: PARTITION_LABELS.join(',') };
      const partition = async (id: string) => {
        const answer = await show(query, `/partitions/${id}`);
        expectJson(answer);
        assert.deepEqual(answer.json.metrics, answer.json.metrics_list[0]);
        return PARTITION_LABELS.map((label) => sums(answer.json.metrics_list as Metric[])[label]);
      };
      assert.deepEqual(await partition('0'), [5, 5, 1, 1]);
      assert.deepEqual(await partition('shardId-0000000001'), [4, 3, 2, 1]);
    });

    test('one label: one series, in whole minutes and without gaps', async () => {
      const answer = await show({ ...recent(), label: 'total_put_records_per_stream' });
      expectJson(answer);
      assert.deepEqual(Object.keys(answer.json as object), ['metrics']);
      const { label, dataPoints } = answer.json.metrics as Metric;
      assert.equal(label, 'total_put_records_per_stream');
      assert.ok(dataPoints.length >= 1);
      dataPoints.forEach(({ timestamp }, index) => assert.equal(timestamp, dataPoints[0]!.timestamp + index * 60));
      assert.equal(dataPoints[0]!.timestamp % 60, 0);
      const { timestamp } = dataPoints.at(-1)!;
      assert.ok(timestamp <= seconds() && timestamp > seconds() - 120);
      assert.match(String(timestamp), /^\d{10}$/);
    });

    test('as the Python client asks: a body with GET, and empty times', async () => {
      const query = { label: 'total_put_records_per_stream', end_time: '', start_time: '' };
      const path = `/streams/${stream}/metrics/`;
      const answer = await dis.call('GET', path, { query, body: { stream_name: stream } });
      expectJson(answer);
      assert.equal(sum(answer.json.metrics as Metric), 3);
    });

    test('label_list wins over label', async () => {
      const answer = await show({ ...recent(), label: 'nothing', label_list: 'traffic_control_put' });
      expectJson(answer);
      assert.equal(answer.json.metrics.label, 'traffic_control_put');
    });

    test('labels that are none, or of the other kind', async () => {
      for (const query of [{}, { label: '' }, { label: 'total' }, { label_list: 'a,b' }, { label_list: ',' }]) {
        await refuses({ ...recent(), ...query }, 'DIS.4209');
      }
      const [label] = PARTITION_LABELS as [string];
      expectError(await show({ ...recent(), label }), 400, 'DIS.4209', /\[total_put_bytes_per_partition\]/);
      expectError(await show({ ...recent(), label: STREAM_LABELS[0]! }, '/partitions/0'), 400, 'DIS.4209');
    });

    test('times: seconds, in order, seven days back at the most', async () => {
      const [ofStream, ofPartition] = [STREAM_LABELS[0]!, PARTITION_LABELS[0]!];
      const both = async (query: Record<string, number | string>, check: (answer: unknown) => void) => {
        check(await show({ label: ofStream, ...query }));
        check(await show({ label: ofPartition, ...query }, '/partitions/0'));
      };
      const taken = (answer: unknown) => expectJson(answer as Parameters<typeof expectJson>[0]);
      const refused = (code: string) => (answer: unknown) =>
        expectError(answer as Parameters<typeof expectJson>[0], 400, code);
      await both({ start_time: seconds() - 7 * DAY_SECONDS, end_time: seconds() }, taken);
      await both({ start_time: seconds() - 7 * DAY_SECONDS - 180, end_time: seconds() }, refused('DIS.4204'));
      await both({ start_time: seconds(), end_time: seconds() + 50 }, taken);
      await both({ start_time: seconds(), end_time: seconds() - 1 }, refused('DIS.4203'));
      for (const wrong of ['soon', Date.now(), -1, 1]) {
        await both({ start_time: wrong, end_time: seconds() }, refused('DIS.4203'));
        await both({ start_time: seconds(), end_time: wrong }, refused('DIS.4203'));
      }
    });

    test('streams and partitions that are not there', async () => {
      const query = { ...recent(), label: 'total_put_bytes_per_stream' };
      expectError(await dis.call('GET', '/streams/nowhere/metrics', { query }), 400, 'DIS.4301');
      expectError(await other.call('GET', `/streams/${stream}/metrics`, { query }), 400, 'DIS.4301');
      const label = 'total_put_bytes_per_partition';
      expectError(await show({ ...query, label }, '/partitions/2'), 400, 'DIS.4302');
      expectError(await show({ ...query, label }, '/partitions/x'), 400, 'DIS.4201');
    });

    test('Prometheus gets numbers and no names', async () => {
      const scrapeOne = async () => {
        const answer = await dis.http.call('GET', '/metrics');
        assert.equal(answer.status, 200, answer.text);
        assert.match(answer.headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
        assert.ok(!answer.text.includes(stream) && !answer.text.includes(dis.projectId));
        return answer.text;
      };
      /** Of all nodes, one after the other. */
      const scrape = async () => {
        let text = '';
        for (let node = 0; node < NODES; node += 1) text += await scrapeOne();
        return text;
      };
      const read = (text: string, metric: string) => {
        const lines = text.split('\n').filter((candidate) => candidate.startsWith(`${metric} `));
        assert.ok(lines.length > 0, `${metric} is missing`);
        return lines.reduce((sum, line) => sum + Number(line.slice(metric.length + 1)), 0);
      };
      const puts = 'sluice_http_requests_total{operation="putRecords",status="2xx"}';
      const refusals = 'sluice_http_requests_total{operation="showStreamMetrics",status="4xx"}';
      const counted = 'sluice_http_request_duration_seconds_count{operation="putRecords"}';
      const first = await scrape();
      await dis.store(stream, [{ data: toBase64('four') }]);
      expectError(await show({}), 400, 'DIS.4209');
      expectError(await dis.http.call('GET', '/nowhere'), 404, 'DIS.4200');
      const second = await scrape();
      for (const [metric, growth] of [
        [puts, 1],
        [refusals, 1],
        [counted, 1],
        ['sluice_put_records_total', 1],
        ['sluice_put_bytes_total', 4],
      ] as const) {
        assert.ok(read(second, metric) >= read(first, metric) + growth, metric);
      }
      assert.ok(read(second, 'sluice_http_requests_total{operation="unknown",status="4xx"}') >= 1);
      assert.ok(read(second, 'sluice_log_sync_duration_seconds_count') >= 1);
      assert.equal(read(second, 'sluice_log_writable'), NODES);
      assert.ok(read(second, 'sluice_streams') >= 1);
      assert.ok(read(second, 'sluice_partitions') >= 2);
      assert.ok(read(second, 'process_resident_memory_bytes') > 1_000_000);
    });
  });
}
