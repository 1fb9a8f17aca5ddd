/** Merges from end to end: what becomes of the files of a complete period, whatever happens meanwhile. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { auditPeriods } from '../../../test/support/period-audit.ts';
import { withRig, type DumpRig, type RigOptions } from '../../../test/support/dump-rig.ts';
import { deleteTask } from '../tasks/delete-task.ts';
import type { DumpDescriptor } from '../settings/settings.ts';
import { startTasks } from '../tasks/start-tasks.ts';
import { stopTasks } from '../tasks/stop-tasks.ts';
import { updateTask } from '../tasks/update-task.ts';

const BY_MINUTE: Partial<DumpDescriptor> = {
  file_prefix: 'files',
  partition_format: 'yyyy/MM/dd/HH/mm',
  consumer_strategy: 'TRIM_HORIZON',
  deliver_time_interval: 10,
  merge_size: 1,
};
const FIRST_MINUTE = 'files/2026/01/01/00/00';

/** Three files of partition 0 and two of partition 1 in the first minute; ten seconds of it are left. */
async function fillMinute(rig: DumpRig, records: readonly [string, string | undefined][] = RECORDS): Promise<void> {
  for (const [first, second] of records) {
    await rig.put(0, first);
    if (second !== undefined) await rig.put(1, second);
    await rig.advance(10_000);
  }
  await rig.advance(50_000 - records.length * 10_000);
}

const RECORDS: readonly [string, string | undefined][] = [
  ['a0', 'a1'],
  ['b0', undefined],
  ['c0', 'c1'],
];

const mergesOf = async (rig: DumpRig) => (await rig.rows()).filter(({ kind }) => kind === 'merge');
const mergedKeys = async (rig: DumpRig) => (await rig.keys('bucket')).filter((key) => key.includes('.merged.'));
const audit = (rig: DumpRig, complete = true) => auditPeriods(rig, { put: PUT, complete, latenessMs: undefined });
const PUT = [
  ['a0', 'b0', 'c0'],
  ['a1', 'c1'],
].map((texts) => texts.map((data) => ({ data, at: 0 })));

function onRig(name: string, run: (rig: DumpRig) => Promise<void>, options: RigOptions = {}): void {
  test(name, withRig(run, { partitions: 2, ...options }));
}

onRig('the files of a minute become one when it is over, in the order of their records', async (rig) => {
  const id = await rig.create(BY_MINUTE);
  await fillMinute(rig);
  assert.equal((await rig.keys('bucket')).length, 5);
  await rig.advance(9_000);
  assert.equal((await rig.keys('bucket')).length, 5, 'not before it is over');
  await rig.advance(10_000);
  const [key, ...others] = await rig.keys('bucket');
  assert.deepEqual(others, []);
  assert.match(key!, new RegExp(`^${FIRST_MINUTE}/${id}\\.orders\\.merged\\.\\d{13}$`));
  assert.equal(await rig.object('bucket', key!), 'a0\nb0\nc0\na1\nc1\n');
  const [merge] = await mergesOf(rig);
  assert.deepEqual(
    [merge!.partition, merge!.records, merge!.bytes, merge!.attempt, merge!.first_record],
    [-1, 5, 15, 1, null],
  );
  await audit(rig);
});

onRig('one file alone stays what it is', async (rig) => {
  await rig.create(BY_MINUTE);
  await rig.put(0, 'a0');
  await rig.advance(75_000);
  assert.deepEqual(await mergesOf(rig), []);
  const [period] = await rig.catalog.db.selectFrom('dump_periods').selectAll().execute();
  assert.ok(period!.completed_at !== null && period!.merged_at !== null);
});

onRig('files of paths without time are never merged', async (rig) => {
  await rig.create({ ...BY_MINUTE, partition_format: '', merge_size: null });
  await fillMinute(rig);
  await rig.advance(200_000);
  assert.equal((await rig.keys('bucket')).length, 5);
  assert.deepEqual(await rig.catalog.db.selectFrom('dump_periods').selectAll().execute(), []);
});

onRig('compressed files are put together as they are', async (rig) => {
  await rig.create({ ...BY_MINUTE, compression_format: 'gzip' });
  await fillMinute(rig);
  await rig.advance(20_000);
  const [key] = await mergedKeys(rig);
  assert.match(key!, /\.gz$/);
  assert.equal(gunzipSync(await bytesOf(rig, key!)).toString(), 'a0\nb0\nc0\na1\nc1\n');
  await audit(rig);
});

onRig('files of several forms in one directory become one each', async (rig) => {
  await rig.create(BY_MINUTE);
  await rig.put(0, 'a0');
  await rig.put(1, 'a1');
  await rig.advance(10_000);
  const changed = { task_name: 'archive', obs_bucket_path: 'bucket', ...BY_MINUTE, record_delimiter: ';' };
  await updateTask(rig.services, rig.stream, changed);
  await rig.put(0, 'b0');
  await rig.advance(10_000);
  await rig.put(0, 'c0');
  await rig.put(1, 'c1');
  await rig.advance(60_000);
  const texts = await Promise.all((await rig.keys('bucket')).map((key) => rig.object('bucket', key)));
  assert.deepEqual(texts.toSorted(), ['a0\na1\n', 'b0;c0;c1;']);
  assert.deepEqual(
    (await mergesOf(rig)).map(({ task_version }) => task_version),
    [1, 2],
  );
});

/** A merge that is planned in a look in which the store answers the put of the merged file with `fault`. */
async function mergeWith(rig: DumpRig, fault: 'before' | 'midway' | 'after' | 'hang' | 'hold'): Promise<void> {
  await rig.create(BY_MINUTE);
  await fillMinute(rig);
  rig.store.faults.push(fault);
  await rig.advance(11_000);
  assert.equal((await mergesOf(rig)).length > 0, true, 'planned');
}

for (const fault of ['before', 'midway', 'after'] as const) {
  onRig(
    `a put that fails (${fault}) is tried again, with a row for the attempt; nothing is superseded before`,
    async (rig) => {
      await mergeWith(rig, fault);
      const [plan, attempt] = await mergesOf(rig);
      assert.deepEqual([plan!.state, plan!.attempt], [2, 2]);
      assert.deepEqual([attempt!.state, attempt!.attempt, attempt!.given_up], [1, 1, 0]);
      assert.match(attempt!.cause!, /503 Slow Down/);
      assert.equal((await rig.keys('bucket')).filter((key) => !key.includes('merged')).length, 5);
      assert.deepEqual(
        (await rig.rows()).filter(({ superseded_at }) => superseded_at !== null),
        [],
      );
      await audit(rig, false);
      await rig.advance(20_000);
      assert.equal((await rig.keys('bucket')).length, 1);
      await audit(rig);
    },
  );
}

onRig('a crash while it is uploaded: the same merge is made again', async (rig) => {
  await mergeWith(rig, 'hang');
  const [planned] = await mergesOf(rig);
  await rig.crash();
  await rig.advance(10_000);
  const [merge, ...others] = await mergesOf(rig);
  assert.deepEqual(others, []);
  assert.deepEqual([merge!.id, merge!.object_key, merge!.state], [planned!.id, planned!.object_key, 0]);
  await audit(rig);
});

onRig('a crash between the upload and the commit: the same bytes go over the same key', async (rig) => {
  await mergeWith(rig, 'after');
  const [key] = await mergedKeys(rig);
  const before = await rig.object('bucket', key!);
  await rig.crash();
  await rig.advance(10_000);
  assert.deepEqual(await rig.keys('bucket'), [key]);
  assert.equal(await rig.object('bucket', key!), before);
  await audit(rig);
});

for (const fault of ['refuse', 'lose answer'] as const) {
  onRig(`a catalog that fails at the commit (${fault})`, async (rig) => {
    await mergeWith(rig, 'hold');
    rig.catalogFaults.push(fault);
    rig.store.release();
    await rig.settle();
    await audit(rig, false);
    await rig.advance(20_000);
    assert.equal((await rig.keys('bucket')).length, 1);
    await audit(rig);
  });

  onRig(`a catalog that fails while merges are planned (${fault})`, async (rig) => {
    await rig.create(BY_MINUTE);
    await fillMinute(rig);
    await rig.advance(9_000);
    rig.catalogFaults.push(fault);
    await rig.advance(2_000);
    await audit(rig, false);
    await rig.advance(20_000);
    assert.equal((await rig.keys('bucket')).length, 1);
    await audit(rig);
  });
}

onRig('inputs that could not be removed are removed later, also after a crash', async (rig) => {
  await rig.create(BY_MINUTE);
  await fillMinute(rig);
  rig.store.failDeletes = true;
  await rig.advance(20_000);
  assert.equal((await rig.keys('bucket')).length, 6, 'the inputs and the merged file');
  await audit(rig, false);
  await rig.crash();
  assert.equal((await rig.keys('bucket')).length, 6);
  rig.store.failDeletes = false;
  await rig.advance(40_000);
  assert.equal((await rig.keys('bucket')).length, 1);
  await audit(rig);
});

for (const how of ['altered', 'missing'] as const) {
  onRig(`an input that is ${how} ends the merge with its cause, and the others stay files`, async (rig) => {
    await rig.create(BY_MINUTE);
    await fillMinute(rig);
    const [, key] = await rig.keys('bucket');
    if (how === 'missing') await rig.store.delete('bucket', key!);
    else await putText(rig, key!, 'xx\n');
    await rig.advance(20_000);
    const [merge, ...others] = await mergesOf(rig);
    assert.deepEqual(others, []);
    assert.deepEqual([merge!.state, merge!.given_up], [1, 0]);
    assert.match(merge!.cause!, how === 'missing' ? /is missing$/ : /is not what was stored$/);
    assert.ok(merge!.cause!.startsWith(key!));
    const deliveries = (await rig.rows()).filter(({ kind }) => kind === 'delivery');
    assert.ok(deliveries.every((row) => row.superseded_at === null && row.merge_id === null));
    assert.deepEqual(await mergedKeys(rig), []);
    const [period] = await rig.catalog.db.selectFrom('dump_periods').selectAll().execute();
    assert.ok(period!.merged_at !== null, 'the period is through all the same');
  });
}

onRig('an input that is altered after a lost answer: the merged file does not stay', async (rig) => {
  await mergeWith(rig, 'after');
  assert.equal((await mergedKeys(rig)).length, 1);
  const [key] = await rig.keys('bucket');
  await putText(rig, key!, 'xx\n');
  await rig.advance(20_000);
  assert.deepEqual(await mergedKeys(rig), []);
  assert.equal((await mergesOf(rig))[0]!.state, 1);
});

onRig('retry_duration ends a merge that fails for so long', async (rig) => {
  await rig.create({ ...BY_MINUTE, retry_duration: 20 });
  await fillMinute(rig);
  rig.store.always = 'before';
  await rig.advance(15_000);
  assert.equal((await mergesOf(rig))[0]!.state, 2);
  await rig.advance(40_000);
  rig.store.always = undefined;
  await rig.advance(40_000);
  assert.equal((await mergesOf(rig))[0]!.state, 1);
  assert.equal((await rig.keys('bucket')).length, 5);
});

onRig('a stopped task merges nothing until it is started', async (rig) => {
  const id = await rig.create(BY_MINUTE);
  await fillMinute(rig);
  await stopTasks(rig.services, rig.stream, [id]);
  await rig.advance(30_000);
  assert.deepEqual(await mergesOf(rig), []);
  await startTasks(rig.services, rig.stream, [id]);
  await rig.advance(10_000);
  assert.equal((await rig.keys('bucket')).length, 1);
});

onRig('a merge that fails waits while its task is stopped', async (rig) => {
  await mergeWith(rig, 'before');
  const id = (await mergesOf(rig))[0]!.task_id;
  await stopTasks(rig.services, rig.stream, [id]);
  await rig.advance(60_000);
  assert.equal((await mergesOf(rig))[0]!.state, 2);
  await startTasks(rig.services, rig.stream, [id]);
  await rig.advance(10_000);
  assert.equal((await mergesOf(rig))[0]!.state, 0);
});

for (const fault of ['hang', 'after'] as const) {
  onRig(`a task that is deleted during a merge (${fault}) keeps its files, and no merged one`, async (rig) => {
    await mergeWith(rig, fault);
    await deleteTask(rig.services, rig.stream, 'archive');
    await rig.settle();
    assert.equal((await rig.keys('bucket')).length, 5);
    const [merge] = await mergesOf(rig);
    assert.deepEqual([merge!.state, merge!.cause], [1, 'task deleted']);
    await rig.crash();
    await rig.advance(60_000);
    assert.equal((await rig.keys('bucket')).length, 5);
    await audit(rig);
  });
}

onRig('the files of a deleted task that a merge has replaced are removed all the same', async (rig) => {
  await rig.create(BY_MINUTE);
  await fillMinute(rig);
  rig.store.failDeletes = true;
  await rig.advance(20_000);
  await deleteTask(rig.services, rig.stream, 'archive');
  rig.store.failDeletes = false;
  await rig.advance(60_000);
  assert.equal((await rig.keys('bucket')).length, 1);
});

const JSON_STREAM: RigOptions = { dataType: 'JSON', partitions: 1 };
const AVRO = (...names: readonly string[]) =>
  JSON.stringify({
    type: 'record',
    name: 'r',
    fields: names.map((name) => ({ name, type: ['null', 'int'], default: null })),
  });

onRig(
  'CSV files become one with one header; those of another schema one of their own',
  async (rig) => {
    const csv = { ...BY_MINUTE, destination_file_type: 'csv', data_schema: AVRO('a') };
    await rig.create(csv);
    for (const a of [1, 2]) {
      await rig.put(0, JSON.stringify({ a }));
      await rig.advance(10_000);
    }
    const changed = { task_name: 'archive', obs_bucket_path: 'bucket', ...csv, data_schema: AVRO('a', 'b') };
    await updateTask(rig.services, rig.stream, changed);
    for (const b of [3, 4]) {
      await rig.put(0, JSON.stringify({ a: 0, b }));
      await rig.advance(10_000);
    }
    await rig.advance(40_000);
    const texts = await Promise.all((await rig.keys('bucket')).map((key) => rig.object('bucket', key)));
    assert.deepEqual(texts.toSorted(), ['a\n1\n2\n', 'a,b\n0,3\n0,4\n']);
  },
  JSON_STREAM,
);

for (const answer of ['an answer', 'no answer']) {
  onRig(
    `Parquet files whose columns were inferred: a file that has brought new ones begins another merged file (${answer} of the catalog)`,
    async (rig) => {
      await rig.create({ ...BY_MINUTE, destination_file_type: 'parquet' });
      for (const record of [{ a: 1 }, { a: 2 }, { a: 3, b: 'x' }, { a: 4 }]) {
        await rig.put(0, JSON.stringify(record));
        await rig.advance(10_000);
      }
      await rig.advance(19_000);
      rig.store.faults.push('hold');
      await rig.advance(2_000);
      if (answer === 'no answer') rig.catalogFaults.push('lose answer');
      rig.store.release();
      await rig.settle();
      await rig.advance(60_000);
      const contents = await Promise.all((await rig.keys('bucket')).map((key) => rowsOf(rig, key)));
      const values = contents.map((rows) => rows.map(({ a }) => Number(a)));
      assert.deepEqual(values, [
        [1, 2],
        [3, 4],
      ]);
      assert.deepEqual(
        (await mergesOf(rig)).map(({ state }) => state),
        [0, 0],
      );
    },
    JSON_STREAM,
  );
}

async function rowsOf(rig: DumpRig, key: string) {
  const bytes = await bytesOf(rig, key);
  return parquetReadObjects({ file: new Uint8Array(bytes).buffer }) as Promise<{ a: unknown }[]>;
}

async function bytesOf(rig: DumpRig, key: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of rig.store.read('bucket', key)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function putText(rig: DumpRig, key: string, text: string): Promise<void> {
  async function* body() {
    yield Buffer.from(text);
  }
  await rig.store.put('bucket', key, body(), { contentType: 'text/plain' });
}
