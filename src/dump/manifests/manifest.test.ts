/** Manifests from end to end: when a directory is told to be complete, and what of. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { touchPeriods } from '../../catalog/dump-periods.ts';
import { auditPeriods } from '../../../test/support/period-audit.ts';
import { withRig, type DumpRig, type RigOptions } from '../../../test/support/dump-rig.ts';
import { createBackfill } from '../backfill/create-backfill.ts';
import { deleteTask } from '../tasks/delete-task.ts';
import type { DumpDescriptor } from '../settings/settings.ts';
import { startTasks } from '../tasks/start-tasks.ts';
import { stopTasks } from '../tasks/stop-tasks.ts';
import { updateTask } from '../tasks/update-task.ts';

const BY_RECORD: DumpDescriptor = {
  task_name: 'archive',
  obs_bucket_path: 'bucket',
  file_prefix: 'files',
  partition_format: 'yyyy/MM/dd/HH/mm',
  consumer_strategy: 'TRIM_HORIZON',
  deliver_time_interval: 10,
  manifest: true,
  lateness_interval: 20,
  processing_schema: { timestamp_name: 't', timestamp_type: 'Timestamp' },
};
const BY_PLAN: DumpDescriptor = { ...BY_RECORD, lateness_interval: 0, processing_schema: null };
/** Longer than it takes a look to come by, and than puts are trusted to be on their way. */
const LOOK = 8000;

function onRig(name: string, run: (rig: DumpRig) => Promise<void>, options: RigOptions = {}): void {
  test(name, withRig(run, { partitions: 2, dataType: 'JSON', ...options }));
}

const manifestsOf = async (rig: DumpRig) =>
  (await rig.keys('bucket'))
    .filter((key) => key.includes('_manifests'))
    .map((key) => key.replace(/.*_manifests\/\w+\//, ''));

async function readManifest(rig: DumpRig, name: string) {
  const key = (await rig.keys('bucket')).find((candidate) => candidate.endsWith(`/${name}`));
  return JSON.parse(await rig.object('bucket', key!)) as {
    files: { key: string; path: string; records: number; merged: boolean; sequences: object[] }[];
    totals: object;
    dead_letters: { records: number }[];
  } & Record<string, unknown>;
}

/** A record with a time so many seconds after the start of the rig. */
const at = (rig: DumpRig, seconds: number, start = Date.UTC(2026, 0, 1)) => {
  assert.ok(rig.clock.now() >= start);
  return JSON.stringify({ t: start + seconds * 1000, id: Math.random() });
};

onRig('a manifest tells of the files of its directory', async (rig) => {
  const id = await rig.create(BY_RECORD);
  await rig.put(0, at(rig, 1), at(rig, 2), '{"t":"never"}');
  await rig.put(1, at(rig, 3));
  await rig.advance(10_000);
  await rig.put(0, at(rig, 11));
  await rig.advance(90_000);
  const manifest = await readManifest(rig, '00.json');
  const { files, totals, dead_letters: dead, ...head } = manifest;
  assert.deepEqual(head, {
    task_id: id,
    task_name: 'archive',
    stream_name: 'orders',
    period_start: '2026-01-01T00:00:00.000Z',
    period_end: '2026-01-01T00:01:00.000Z',
    time_zone: 'UTC',
    complete: true,
    number: 0,
    created: head['created'],
  });
  assert.deepEqual(
    files.map(({ path, records, merged, sequences }) => ({ path, records, merged, sequences })),
    [
      { records: 2, sequences: [{ partition: 'shardId-0000000000', first: '0', last: '1' }] },
      { records: 1, sequences: [{ partition: 'shardId-0000000001', first: '0', last: '0' }] },
      { records: 1, sequences: [{ partition: 'shardId-0000000000', first: '3', last: '3' }] },
    ].map((file) => ({ path: '2026/01/01/00/00', merged: false, ...file })),
  );
  assert.equal((totals as { records: number }).records, 4);
  assert.deepEqual(
    dead.map(({ records }) => records),
    [1],
  );
});

onRig('a merged file is told in place of its inputs, with the sequences of all of them', async (rig) => {
  await rig.create({ ...BY_RECORD, merge_size: 1 });
  for (const seconds of [1, 11, 21]) {
    await rig.put(0, at(rig, seconds));
    if (seconds !== 11) await rig.put(1, at(rig, seconds));
    await rig.advance(10_000);
  }
  await rig.advance(90_000);
  const { files } = await readManifest(rig, '00.json');
  assert.deepEqual(
    files.map(({ merged, records, sequences }) => ({ merged, records, sequences })),
    [
      {
        merged: true,
        records: 5,
        sequences: [
          { partition: 'shardId-0000000000', first: '0', last: '2' },
          { partition: 'shardId-0000000001', first: '0', last: '1' },
        ],
      },
    ],
  );
});

onRig('no manifest before the lateness is over, and none while an earlier record is not delivered', async (rig) => {
  await rig.create(BY_RECORD);
  await rig.put(0, at(rig, 1));
  await rig.advance(79_000);
  assert.deepEqual(await manifestsOf(rig), []);
  await rig.put(1, at(rig, 2));
  await rig.advance(4_000);
  assert.deepEqual(await manifestsOf(rig), [], 'the record has arrived in time');
  rig.store.always = 'before';
  await rig.advance(60_000);
  assert.deepEqual(await manifestsOf(rig), [], 'a partition fails');
  rig.store.always = undefined;
  await rig.advance(60_000);
  const { files } = await readManifest(rig, '00.json');
  assert.equal(files.length, 2);
});

onRig('what comes too late is told by an addendum, a burst of it by one', async (rig) => {
  await rig.create(BY_RECORD);
  await rig.put(0, at(rig, 1));
  await rig.advance(82_000 + LOOK);
  assert.deepEqual(await manifestsOf(rig), ['2026/01/01/00/00.json']);
  await rig.put(0, at(rig, 2));
  await rig.put(1, at(rig, 3));
  await rig.advance(20_000 + LOOK);
  assert.deepEqual(await manifestsOf(rig), ['2026/01/01/00/00.1.json', '2026/01/01/00/00.json']);
  const addendum = await readManifest(rig, '00.1.json');
  assert.equal(addendum['number'], 1);
  assert.equal(addendum.files.length, 2);
  await rig.put(0, at(rig, 4));
  await rig.advance(30_000);
  assert.equal((await readManifest(rig, '00.2.json')).files.length, 1);
  assert.equal((await readManifest(rig, '00.json')).files.length, 1, 'the first one stays as it was');
});

onRig('late files are not merged', async (rig) => {
  await rig.create({ ...BY_RECORD, merge_size: 1 });
  await rig.put(0, at(rig, 1));
  await rig.advance(82_000 + LOOK);
  for (let i = 0; i < 3; i += 1) {
    await rig.put(0, at(rig, 2 + i));
    await rig.advance(10_000);
  }
  await rig.advance(60_000);
  assert.equal((await rig.keys('bucket')).filter((key) => key.includes('merged')).length, 0);
});

onRig('a directory that nothing has come to has no manifest', async (rig) => {
  await rig.create(BY_RECORD);
  await rig.advance(300_000);
  assert.deepEqual(await manifestsOf(rig), []);
});

onRig('directories by the time of the plan are complete at their end', async (rig) => {
  await rig.create(BY_PLAN);
  await rig.put(0, '{}');
  await rig.advance(59_000);
  await rig.put(1, '{}');
  assert.deepEqual(await manifestsOf(rig), []);
  await rig.advance(LOOK);
  assert.deepEqual(await manifestsOf(rig), ['2026/01/01/00/00.json'], 'the second record is for the next directory');
});

onRig('an open plan keeps its directory open', async (rig) => {
  await rig.create(BY_PLAN);
  await rig.put(0, '{}');
  await rig.advance(15_000);
  rig.store.faults.push('hold');
  await rig.put(1, '{}');
  await rig.advance(60_000);
  assert.deepEqual(await manifestsOf(rig), []);
  rig.store.release();
  await rig.settle();
  await rig.advance(LOOK);
  assert.equal((await readManifest(rig, '00.json')).files.length, 2);
});

onRig('partitions that come later count, and so do those that were closed', async (rig) => {
  await rig.create(BY_RECORD);
  await rig.put(0, at(rig, 1));
  await rig.advance(10_000);
  await rig.put(1, at(rig, 2));
  rig.store.always = 'before';
  await rig.scale(4);
  await rig.put(3, at(rig, 3));
  await rig.scale(2);
  await rig.advance(120_000);
  assert.deepEqual(await manifestsOf(rig), []);
  rig.store.always = undefined;
  await rig.advance(60_000);
  assert.equal((await readManifest(rig, '00.json')).files.length, 3);
});

onRig('a stopped task tells nothing until it is started', async (rig) => {
  const id = await rig.create(BY_RECORD);
  await rig.put(0, at(rig, 1));
  await rig.advance(15_000);
  await stopTasks(rig.services, rig.stream, [id]);
  await rig.advance(120_000);
  assert.deepEqual(await manifestsOf(rig), []);
  await startTasks(rig.services, rig.stream, [id]);
  await rig.advance(LOOK);
  assert.deepEqual(await manifestsOf(rig), ['2026/01/01/00/00.json']);
});

for (const fault of ['before', 'midway', 'after', 'hang'] as const) {
  onRig(
    `a manifest that is not stored (${fault}) is stored later, after a crash too, with the same files`,
    async (rig) => {
      await rig.create(BY_RECORD);
      await rig.put(0, at(rig, 1));
      await rig.advance(81_000);
      rig.store.faults.push(fault);
      await rig.advance(6_000);
      const [planned] = await rig.catalog.db.selectFrom('dump_manifests').selectAll().execute();
      assert.equal(planned?.stored_at, null);
      // Comes after the plan, so it is for the addendum.
      await rig.put(0, at(rig, 2));
      if (fault !== 'midway') await rig.crash();
      await rig.advance(20_000);
      const manifest = await readManifest(rig, '00.json');
      assert.equal(manifest.files.length, 1);
      assert.equal(manifest['created'], new Date(planned.created_at).toISOString());
      await rig.advance(30_000);
      assert.equal((await readManifest(rig, '00.1.json')).files.length, 1);
    },
  );
}

for (const fault of ['refuse', 'lose answer'] as const) {
  onRig(`a catalog that fails when a period is complete (${fault})`, async (rig) => {
    const data = at(rig, 1);
    await rig.create({ ...BY_RECORD, merge_size: 1 });
    await rig.put(0, data);
    await rig.advance(81_000);
    rig.catalogFaults.push(fault, fault);
    await rig.advance(30_000);
    assert.deepEqual(await manifestsOf(rig), ['2026/01/01/00/00.json']);
    await auditPeriods(rig, { put: [[{ data, at: 0 }], []], complete: true, latenessMs: 20_000 });
  });
}

onRig('a deleted task tells no more', async (rig) => {
  await rig.create(BY_RECORD);
  await rig.put(0, at(rig, 1));
  await rig.advance(81_000);
  rig.store.faults.push('before');
  await rig.advance(6_000);
  await deleteTask(rig.services, rig.stream, 'archive');
  await rig.crash();
  await rig.advance(60_000);
  assert.deepEqual(await manifestsOf(rig), []);
});

onRig('a period of a clock that shows a time again has a manifest of its own', async (rig) => {
  const hourly = { ...BY_RECORD, partition_format: 'yyyy/MM/dd/HH' };
  await rig.create(hourly);
  const start = Date.UTC(2025, 11, 31);
  await rig.put(0, at(rig, 0, start));
  await rig.advance(10_000 + LOOK);
  assert.deepEqual(await manifestsOf(rig), ['2025/12/31/00.json']);
  await updateTask(rig.services, rig.stream, { ...hourly, time_zone: 'Asia/Shanghai' });
  await rig.put(0, at(rig, -8 * 3600, start));
  await rig.advance(10_000 + LOOK);
  const [first, second] = await manifestsOf(rig);
  assert.equal(second, '2025/12/31/00.json');
  assert.equal(first, `2025/12/31/00-${start - 8 * 3_600_000}.json`);
});

onRig('wider directories: what begins as a minute that was told is open again until its hour is over', async (rig) => {
  await rig.create({ ...BY_PLAN, merge_size: 1 });
  await rig.put(0, '"a"');
  await rig.advance(60_000 + LOOK);
  assert.deepEqual(await manifestsOf(rig), ['2026/01/01/00/00.json']);
  await updateTask(rig.services, rig.stream, { ...BY_PLAN, merge_size: 1, partition_format: 'yyyy/MM/dd/HH' });
  for (const record of ['"b"', '"c"']) {
    await rig.put(0, record);
    await rig.advance(30_000);
  }
  const period = async () => (await rig.catalog.db.selectFrom('dump_periods').selectAll().execute())[0]!;
  assert.deepEqual([(await period()).completed_at, (await period()).merged_at], [null, null]);
  assert.equal((await manifestsOf(rig)).length, 1, 'nothing is told before the hour is over');

  rig.clock.jump(Date.UTC(2026, 0, 1, 1) - rig.clock.now());
  await rig.advance(2 * LOOK);
  const { files, ...head } = await readManifest(rig, '00.1.json');
  assert.deepEqual(
    [head['period_start'], head['period_end'], head['complete']],
    ['2026-01-01T00:00:00.000Z', '2026-01-01T01:00:00.000Z', true],
  );
  assert.deepEqual(
    files.map(({ records, merged }) => [records, merged]),
    [[2, true]],
  );
  assert.ok((await period()).completed_at! >= Date.UTC(2026, 0, 1, 1));
});

onRig('a manifest that is not stored when its period becomes a longer one waits for the end of that', async (rig) => {
  const id = await rig.create(BY_PLAN);
  const start = rig.clock.now();
  await rig.put(0, '"a"');
  await rig.advance(57_000);
  rig.store.always = 'before';
  await rig.advance(6_000);
  assert.equal((await rig.catalog.db.selectFrom('dump_manifests').selectAll().execute()).length, 1);
  await touchPeriods(rig.catalog.db, id, [{ start, end: start + 120_000 }], rig.clock.now());
  rig.store.always = undefined;
  await rig.advance(50_000);
  assert.deepEqual(await manifestsOf(rig), []);
  await rig.advance(7_000 + LOOK);
  assert.equal((await readManifest(rig, '00.json'))['period_end'], new Date(start + 120_000).toISOString());
});

onRig('two tasks of one prefix do not share their manifests', async (rig) => {
  await rig.create(BY_RECORD);
  await rig.create({ ...BY_RECORD, task_name: 'second' });
  await rig.put(0, at(rig, 1));
  await rig.advance(100_000);
  assert.equal((await manifestsOf(rig)).length, 2);
});

onRig('a directory of many files is told page by page', async (rig) => {
  await rig.create(BY_RECORD);
  const { db } = rig.catalog;
  await rig.put(0, at(rig, 1));
  await rig.advance(15_000);
  const [row] = await rig.rows();
  const copies = Array.from({ length: 1201 }, (_, i) => ({
    ...row!,
    id: 10 + i,
    plan_id: 1,
    object_key: `${row!.object_key}-${i + 1}`,
  }));
  for (let from = 0; from < copies.length; from += 200) {
    await db
      .insertInto('dump_log')
      .values(copies.slice(from, from + 200))
      .execute();
  }
  await rig.advance(90_000);
  const { files, totals } = await readManifest(rig, '00.json');
  assert.equal(new Set(files.map(({ key }) => key)).size, 1202);
  assert.equal((totals as { files: number }).files, 1202);
});

onRig('a backfill tells of its own directories, once it has delivered their records', async (rig) => {
  await rig.create({ ...BY_RECORD, manifest: false, lateness_interval: 0 });
  await rig.put(0, at(rig, 1), at(rig, 2));
  await rig.put(1, at(rig, 3));
  await rig.advance(100_000);
  const request = { prefix: 'again', changes: { manifest: true, merge_size: 1 }, from: null, to: null };
  await createBackfill(rig.services, rig.stream, 'archive', request);
  await rig.advance(20_000);
  assert.deepEqual(await manifestsOf(rig), ['2026/01/01/00/00.json']);
  const [file] = (await readManifest(rig, '00.json')).files;
  assert.match(file!.key, /^again\//);
  assert.deepEqual([file!.records, file!.merged], [3, true]);
});
