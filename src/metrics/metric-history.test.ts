import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { openTestCatalog, type TestCatalog } from '../../test/support/catalog.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { makeStream } from '../../test/support/streams.ts';
import { WHOLE_STREAM, type Counters } from '../catalog/metric-points.ts';
import { isDomainError, type ErrorName } from '../model/errors.ts';
import { KEPT_MINUTES, MetricHistory } from './metric-history.ts';
import { queryMetrics, type MetricsRequest } from './query-metrics.ts';
import { MINUTE_MS, minuteOf, TrafficMeter } from './traffic-meter.ts';

const NOTHING = { label: undefined, labelList: undefined, start: undefined, end: undefined };

describe('what went through a stream, by the minute', () => {
  let clock: ManualClock;
  let catalog: TestCatalog;
  let meter: TrafficMeter;
  let history: MetricHistory;
  let errors: unknown[];
  const stream = makeStream({ number: 7, partitionCount: 3, createdAt: 0 });
  const [first, second] = stream.partitions;

  const open = () => {
    meter = new TrafficMeter(clock);
    history = new MetricHistory({ catalog, meter, clock, gather: undefined, onError: (error) => errors.push(error) });
  };
  beforeEach(async () => {
    clock = new ManualClock();
    catalog = await openTestCatalog();
    errors = [];
    open();
  });
  afterEach(async () => {
    await history.close();
    await catalog.close();
    assert.deepEqual(errors, []);
  });

  const put = (partition = first!, count = 1, dataBytes = 10, ms = 4) =>
    meter.countPut(stream.number, [{ partition, count, dataBytes }], ms);
  const now = () => minuteOf(clock.now());
  const readMinute = async (partition: number, minute = now()): Promise<Counters | undefined> =>
    (await history.read(stream.number, partition, minute, minute)).get(minute);
  const query = async (request: Partial<MetricsRequest>, partition = false) =>
    queryMetrics({ metricHistory: history, clock }, stream, partition ? first : undefined, { ...NOTHING, ...request });
  const values = async (request: Partial<MetricsRequest>) =>
    (await query({ label: 'total_put_records_per_stream', ...request }))[0].dataPoints.map(({ value }) => value);
  const secondsAgo = (seconds: number) => String(Math.floor(clock.now() / 1000) - seconds);
  const refusal = (kind: ErrorName) => (error: unknown) => isDomainError(error, kind);

  test('puts and gets are summed for the stream and for each partition', async () => {
    const shares = [
      { partition: first!, count: 2, dataBytes: 30 },
      { partition: second!, count: 1, dataBytes: 5 },
      { partition: stream.partitions[2]!, count: 0, dataBytes: 99 },
    ];
    meter.countPut(stream.number, shares, 3.2);
    meter.countGet(first!.ref, 2, 30, 1.3);
    meter.countGet(first!.ref, 0, 0, 0);
    meter.countThrottledPut(stream.number);
    meter.countThrottledGet(stream.number);
    const whole = await readMinute(WHOLE_STREAM);
    assert.deepEqual(
      { ...whole },
      {
        ...{ stream: stream.number, partition: WHOLE_STREAM, minute: now() },
        ...{ put_records: 3, put_bytes: 35, put_requests: 1, put_ms: 3, put_throttled: 1 },
        ...{ get_records: 2, get_bytes: 30, get_requests: 2, get_ms: 1, get_throttled: 1 },
      },
    );
    const { put_records, put_bytes, get_records, get_bytes, put_requests } = (await readMinute(0))!;
    assert.deepEqual([put_records, put_bytes, get_records, get_bytes, put_requests], [2, 30, 2, 30, 0]);
    assert.equal((await readMinute(1))?.put_bytes, 5);
    assert.equal(await readMinute(2), undefined);
    assert.equal(meter.totals.put_records, 3);
    assert.equal(meter.totals.get_throttled, 1);
  });

  test('a put that stored nothing is no success', async () => {
    put(first, 0);
    assert.equal((await readMinute(WHOLE_STREAM))?.put_requests, undefined);
  });

  test('what is stored and what is not stored yet add up, also when minutes end and the process starts anew', async () => {
    put();
    await history.store();
    put();
    assert.equal((await readMinute(WHOLE_STREAM))?.put_records, 2);
    await history.store();
    await history.store();
    assert.equal((await readMinute(0))?.put_records, 2);
    const before = now();
    put(second);
    clock.advance(MINUTE_MS);
    put();
    assert.equal((await readMinute(WHOLE_STREAM, before))?.put_records, 3);
    await history.close();
    open();
    put();
    assert.equal((await readMinute(WHOLE_STREAM, before))?.put_records, 3);
    assert.equal((await readMinute(WHOLE_STREAM))?.put_records, 2);
    await history.store();
    assert.equal((await readMinute(WHOLE_STREAM))?.put_records, 2);
  });

  test('counts that arrive while others are being stored are neither lost nor stored twice', async () => {
    await history.store();
    put();
    const storing = history.store();
    // Long enough for the store to have looked at the counts, and not for an answer of the catalog.
    for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
    put();
    const reading = readMinute(WHOLE_STREAM);
    put();
    await storing;
    assert.equal((await reading)?.put_records, 3);
    await history.store();
    assert.equal(meter.unstored().length, 0);
    assert.equal((await readMinute(WHOLE_STREAM))?.put_records, 3);
  });

  test('counts are stored every ten seconds by themselves', async () => {
    await history.store();
    put();
    clock.advance(10_000);
    // Behind the store that the clock has begun.
    await readMinute(WHOLE_STREAM);
    assert.equal(meter.unstored().length, 0);
  });

  test('what cannot be stored stays counted', async () => {
    put();
    await history.store();
    put();
    await catalog.db.schema.alterTable('metric_points').renameTo('hidden').execute();
    await assert.rejects(history.store());
    await catalog.db.schema.alterTable('hidden').renameTo('metric_points').execute();
    await history.store();
    assert.equal((await readMinute(WHOLE_STREAM))?.put_records, 2);
  });

  test('minutes are kept for seven days', async () => {
    put();
    const minute = now();
    await history.store();
    clock.advance((KEPT_MINUTES - 1) * MINUTE_MS);
    await history.store();
    clock.advance(MINUTE_MS);
    await history.store();
    assert.equal((await readMinute(WHOLE_STREAM, minute))?.put_records, 1);
    // The purge runs once an hour.
    clock.advance(60 * MINUTE_MS);
    await history.store();
    assert.equal(await readMinute(WHOLE_STREAM, minute), undefined);
  });

  test('a deleted stream is forgotten', async () => {
    put();
    meter.forget(stream.number);
    await history.store();
    assert.equal(await readMinute(WHOLE_STREAM), undefined);
  });

  test('the load of the last whole minute, stored or not', async () => {
    const load = async () => {
      const loads = await history.lastMinute([stream.number, 99]);
      assert.equal(loads.get(99), undefined);
      const { putBytes = 0, getBytes = 0, throttledPuts = 0 } = loads.get(stream.number) ?? {};
      return [putBytes, getBytes, throttledPuts];
    };
    put(first, 1, 10);
    meter.countGet(first!.ref, 1, 7, 1);
    meter.countThrottledPut(stream.number);
    assert.deepEqual(await load(), [0, 0, 0]);
    await history.store();
    put(first, 1, 3);
    clock.advance(MINUTE_MS);
    assert.deepEqual(await load(), [13, 7, 1]);
    put(first, 1, 20);
    assert.deepEqual(await load(), [13, 7, 1]);
    clock.advance(MINUTE_MS);
    assert.deepEqual(await load(), [20, 0, 0]);
    clock.advance(MINUTE_MS);
    assert.deepEqual(await load(), [0, 0, 0]);
  });

  test('two nodes: what one has counted is in the answer of the other', async () => {
    const there = new TrafficMeter(clock);
    const onError = (error: unknown) => errors.push(error);
    const other = new MetricHistory({ catalog, meter: there, clock, gather: undefined, onError });
    const asking = new MetricHistory({ catalog, meter, clock, gather: () => other.store(), onError });
    const read = async () => (await asking.read(stream.number, WHOLE_STREAM, now(), now())).get(now())?.put_records;
    there.countPut(stream.number, [{ partition: first!, count: 2, dataBytes: 9 }], 1);
    put(first, 3);
    assert.equal(await read(), 5);
    there.countPut(stream.number, [{ partition: first!, count: 1, dataBytes: 9 }], 1);
    const second = read();
    clock.advance(1000);
    assert.equal(await second, 6);
    await Promise.all([asking.close(), other.close()]);
    assert.equal(await readMinute(WHOLE_STREAM).then((counters) => counters?.put_records), 6);
  });

  test('a series has a point a minute, zeros included, of every minute that the window touches', async () => {
    put(first, 5);
    clock.advance(2 * MINUTE_MS);
    put(first, 6);
    clock.advance(30_000);
    assert.deepEqual(await values({ start: secondsAgo(150) }), [5, 0, 6]);
    assert.deepEqual(await values({ start: secondsAgo(91) }), [5, 0, 6]);
    assert.deepEqual(await values({ start: secondsAgo(90) }), [0, 6]);
    assert.deepEqual(await values({ start: secondsAgo(150), end: secondsAgo(60) }), [5, 0]);
    assert.deepEqual(await values({ start: secondsAgo(30), end: secondsAgo(-9999) }), [6]);
    assert.deepEqual(await values({ start: secondsAgo(-9999), end: secondsAgo(-9999) }), []);
    const [{ dataPoints }] = await query({ label: 'total_put_bytes_per_stream', start: secondsAgo(0) });
    assert.deepEqual(dataPoints, [{ timestamp: now() * 60, value: 10 }]);
  });

  test('without times it is the last hour', async () => {
    clock.advance(3 * 3_600_000 + 1000);
    const [{ dataPoints }] = await query({ label: 'traffic_control_put' });
    assert.equal(dataPoints.length, 61);
    assert.equal(dataPoints.at(-1)?.timestamp, now() * 60);
    assert.equal((await values({ end: secondsAgo(3600) })).length, 61);
  });

  test('a series begins with its stream', async () => {
    clock.advance(10 * MINUTE_MS);
    const young = makeStream({ number: 8, createdAt: clock.now() - 2 * MINUTE_MS });
    const request = { ...NOTHING, label: 'total_put_req_latency' };
    const [{ dataPoints }] = await queryMetrics({ metricHistory: history, clock }, young, undefined, request);
    assert.equal(dataPoints.length, 3);
  });

  test('the latency is the average of the minute', async () => {
    put(first, 1, 1, 3);
    put(first, 1, 1, 10);
    meter.countGet(first!.ref, 0, 0, 2);
    const start = secondsAgo(0);
    const series = await query({ labelList: 'total_put_req_latency,total_get_req_latency', start });
    assert.deepEqual(
      series.map(({ dataPoints }) => dataPoints[0]?.value),
      [7, 2],
    );
  });

  test('labels: several, the same twice, unknown, none, those of the other kind', async () => {
    const labels = async (request: Partial<MetricsRequest>, partition = false) =>
      (await query(request, partition)).map(({ label }) => label);
    assert.deepEqual(
      await labels({ label: 'x', labelList: 'traffic_control_get,traffic_controll_get,traffic_control_get' }),
      ['traffic_control_get', 'traffic_controll_get'],
    );
    assert.deepEqual(await labels({ label: 'total_put_bytes_per_partition' }, true), ['total_put_bytes_per_partition']);
    for (const label of [undefined, 'total_put_bytes_per_partition', 'toString', 'Traffic_control_put']) {
      await assert.rejects(labels({ label }), refusal('InvalidMetricLabel'));
    }
    for (const labelList of [
      'traffic_control_put,',
      ',traffic_control_put',
      'traffic_control_put;traffic_control_get',
    ]) {
      await assert.rejects(labels({ labelList }), refusal('InvalidMetricLabel'));
    }
    await assert.rejects(labels({ label: 'total_put_bytes_per_stream' }, true), refusal('InvalidMetricLabel'));
  });

  test('times: seven days back and no further, in ten digits, in order', async () => {
    const sevenDays = KEPT_MINUTES * 60;
    assert.equal((await values({ start: secondsAgo(sevenDays) })).length, KEPT_MINUTES + 1);
    await assert.rejects(values({ start: secondsAgo(sevenDays + 1) }), refusal('MetricTooOld'));
    for (const wrong of ['x', '1', '12345678901', `${secondsAgo(0)}000`, '-123456789', '1e9', ' 1234567890']) {
      await assert.rejects(values({ start: wrong }), refusal('InvalidMetricStart'));
      await assert.rejects(values({ end: wrong }), refusal('InvalidMetricStart'));
    }
    assert.equal((await values({ start: secondsAgo(5), end: secondsAgo(5) })).length, 1);
    await assert.rejects(values({ start: secondsAgo(5), end: secondsAgo(6) }), refusal('InvalidMetricStart'));
  });
});
