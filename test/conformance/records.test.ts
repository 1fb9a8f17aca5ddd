import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DisClient, entriesOf, eventually, toBase64, type RecordToPut } from '../support/dis-client.ts';
import { expectError, expectJson } from '../support/expect.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { runGetRecordsConformance } from './suites/records-get.ts';
import { runPutRecordsConformance } from './suites/records-put.ts';

let server: TestServer;
before(async () => (server = await startServer()));
after(() => server.stop());

runPutRecordsConformance(() => server);
runGetRecordsConformance(() => server);

test('limits are what the configuration says', async (t) => {
  const limits = {
    record_bytes: 100,
    put_bytes: 250,
    put_records: 5,
    body_bytes: 1000,
    get_records: 3,
    get_default_records: 2,
    get_bytes: 150,
  };
  const small = await startServer({ config: { limits } });
  t.after(() => small.stop());
  const dis = await DisClient.login(small);
  t.after(() => dis.close());
  await dis.createStream('s');
  const record = (bytes: number): RecordToPut => ({ data: toBase64(Buffer.alloc(bytes)) });

  await dis.store('s', [record(100), record(100), record(50)]);
  const [, refused] = entriesOf(await dis.put('s', [record(100), record(101)]));
  assert.equal(refused?.error_code, 'DIS.4300');
  expectError(await dis.put('s', [record(100), record(100), record(51)]), 413, 'DIS.4300', /\[251\]\[250\]/);
  await dis.store('s', new Array<RecordToPut>(5).fill(record(1)));
  expectError(await dis.put('s', new Array<RecordToPut>(6).fill(record(1))), 413, 'DIS.4300', /\[6\]\[5\]/);

  const body = JSON.stringify({ stream_name: 's', records: [record(100)] });
  expectJson(await dis.call('POST', '/records', { body: body.padEnd(1000) }));
  expectError(await dis.call('POST', '/records', { body: body.padEnd(1001) }), 413, 'DIS.4300');

  const cursor = await dis.cursor('s', 0, { 'starting-sequence-number': 4 });
  assert.equal((await dis.page(cursor)).records.length, 2);
  assert.equal((await dis.page(cursor, { limit: 3 })).records.length, 3);
  expectError(await dis.get(cursor, { limit: 4 }), 400, 'DIS.4200');
  assert.equal((await dis.page(await dis.cursor('s', 0), { limit: 3, max_fetch_bytes: 1000 })).records.length, 1);
});

test('the dis profile gives each partition the throughput of the cloud service', async (t) => {
  const throttled = await startServer({ env: { SLUICE_LIMITS_PROFILE: 'dis' } });
  t.after(() => throttled.stop());
  const dis = await DisClient.login(throttled);
  t.after(() => dis.close());
  await dis.createStream('common', 2);
  await dis.createStream('advanced', 1, { stream_type: 'ADVANCED' });

  const small = (partition_id: string) => new Array<RecordToPut>(3000).fill({ data: 'YQ==', partition_id });
  const stored = async (stream: string, records: RecordToPut[]) => {
    const answer = await dis.put(stream, records);
    const refusals = entriesOf(answer).filter(({ error_code }) => error_code !== undefined);
    for (const { error_code, error_message } of refusals) {
      assert.equal(error_code, 'DIS.4303');
      assert.match(error_message ?? '', /^Traffic control limit is exceeded\. \[/);
    }
    assert.equal(answer.json.failed_record_count, refusals.length);
    return records.length - refusals.length;
  };
  const first = await stored('common', small('0'));
  assert.ok(first >= 1000 && first < 2000, `${first} of 3000`);
  assert.equal((await dis.readAll('common', 0)).length, first);
  const other = await stored('common', small('1'));
  assert.ok(other >= 1000 && other < 2000, 'each partition has an allowance of its own');
  const advanced = await stored('advanced', small('0'));
  assert.ok(advanced >= 2000 && advanced < 3000, `${advanced} of 3000`);
  await eventually('the allowance comes back', () => stored('common', small('0').slice(0, 1)), Boolean);

  // Bytes: a megabyte a second, so of two megabytes one fits.
  await dis.createStream('bytes', 1);
  const large = { data: toBase64(Buffer.alloc(512 * 1024)) };
  const kept = await stored('bytes', [large, large, large, large]);
  assert.ok(kept >= 2 && kept < 4, `${kept} of 4`);

  // Reading: two megabytes a second and partition.
  await dis.createStream('reads', 1, { stream_type: 'ADVANCED' });
  const cursor = await dis.cursor('common', 0);
  expectJson(await dis.get(cursor));
  const four = new Array<RecordToPut>(4).fill({ data: toBase64(Buffer.alloc(1024 * 1024)) });
  for (let i = 0; i < 4; i += 1)
    await eventually(
      'room for a put',
      () => stored('reads', four),
      (count) => count > 0,
    );
  const reads = await dis.cursor('reads', 0);
  const answers = await Promise.all(Array.from({ length: 8 }, () => dis.get(reads)));
  const refused = answers.filter(({ status }) => status !== 200);
  assert.ok(refused.length > 0 && refused.length < 8, `${refused.length} of 8`);
  for (const answer of refused) expectError(answer, 400, 'DIS.4303', /^Traffic control limit is exceeded\. \[/);
  await eventually(
    'reads are let through again',
    async () => (await dis.get(reads)).status,
    (status) => status === 200,
  );
});

test('without the profile a partition takes whatever comes', async () => {
  const dis = await DisClient.login(server);
  await dis.createStream('free');
  const places = await dis.store('free', new Array<RecordToPut>(10_000).fill({ data: 'YQ==' }));
  assert.equal(places.length, 10_000);
  await dis.deleteStream('free');
  dis.close();
});
