/**
 * Checks what merges and manifests have left behind against what was put: whatever was merged, each record is in exactly one
 * of the objects that count, a manifest lists exactly what its period had, and no file that was waited for came after it.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { DumpLogRow } from '../../src/catalog/dump-log.ts';
import { baseOf } from '../../src/dump/cuts/object-name.ts';
import { parseStoredSettings } from '../../src/dump/settings/settings.ts';
import type { DumpRig } from './dump-rig.ts';

export interface PutRecord {
  readonly data: string;
  /** When it was put, in ms. */
  readonly at: number;
}

export interface PeriodAuditOptions {
  /** Everything that was ever put into each partition of `orders`, by sequence number; every record is another one. */
  readonly put: readonly (readonly PutRecord[])[];
  /** Whether all is through: nothing is planned any more, and every period has ended long ago. */
  readonly complete: boolean;
  /** For how long the periods of the task were waited for, in ms, at the least; undefined for directories of the plan. */
  readonly latenessMs: number | undefined;
}

export async function auditPeriods(rig: DumpRig, options: PeriodAuditOptions): Promise<void> {
  const rows = await rig.rows();
  const { db } = rig.catalog;
  const periods = await db.selectFrom('dump_periods').selectAll().execute();
  const manifests = await db.selectFrom('dump_manifests').selectAll().execute();
  const tasks = await db.selectFrom('dump_tasks').selectAll().execute();
  for (const task of tasks) {
    assert.equal(
      task.log_rows,
      rows.filter(({ task_id }) => task_id === task.task_id).length,
      'log_rows counts the rows',
    );
  }
  const committed = rows.filter(({ state, object_key }) => state === 0 && object_key !== '');
  const living = committed.filter(({ superseded_at }) => superseded_at === null);
  assert.equal(new Set(committed.map(({ object_key }) => object_key)).size, committed.length, 'no key twice');

  await auditRecords(rig, rows, living, options);
  auditMerges(rows, options.complete);
  for (const row of living) assert.equal(row.checksum, checksum(await bytesOf(rig, row)), row.object_key);

  const needed = new Set(living.map(({ object_key }) => object_key));
  const allowed = new Set<string>();
  // What is under way may have objects already; after the end of a task a crash may leave them.
  const underWay = new Set<string>();
  for (const row of rows) {
    if (row.state === 0 && row.dead_letter_key !== null) needed.add(row.dead_letter_key);
    if (row.superseded_at !== null && row.removed_at === null) allowed.add(row.object_key);
    if (row.state === 2 || row.cause === 'task deleted') underWay.add(baseOf(row.file_name));
  }
  for (const manifest of manifests) {
    if (manifest.stored_at === null) allowed.add(manifest.object_key);
    else needed.add(manifest.object_key);
    if (manifest.stored_at !== null) await auditManifest(rig, rows, manifest);
  }
  const found = await rig.keys('bucket');
  for (const key of needed) assert.ok(found.includes(key), `${key} is missing`);
  for (const key of found) {
    const known = needed.has(key) || allowed.has(key) || underWay.has(baseOf(key.slice(key.lastIndexOf('/') + 1)));
    assert.ok(known, `nothing says why ${key} is there`);
  }
  if (options.complete) {
    const left = found.filter((key) => !underWay.has(baseOf(key.slice(key.lastIndexOf('/') + 1))));
    assert.deepEqual(left.toSorted(), [...needed].toSorted(), 'nothing superseded is left');
    assert.deepEqual(
      rows.filter(({ state }) => state === 2),
      [],
      'nothing is planned',
    );
  }

  const telling = new Set(await tellingTasks(rig));
  for (const period of periods) {
    const files = living.filter((row) => row.task_id === period.task_id && row.period === period.period);
    const own = manifests.filter((row) => row.task_id === period.task_id && row.period === period.period);
    assert.deepEqual(
      own.map(({ number }) => number).toSorted((a, b) => a - b),
      [...own.keys()],
      'numbered from 0',
    );
    assert.equal(period.manifests, own.length);
    const untold = files.filter(({ manifest }) => manifest === null);
    if (period.manifests > 0) assert.equal(period.late_since !== null, untold.length > 0, 'what is not told is late');
    if (period.completed_at === null) assert.equal(period.manifests, 0, 'an open period has none');
    else auditPunctuality(rows, period.task_id, period, options);
    const live = tasks.find(({ task_id }) => task_id === period.task_id)?.deleted_at === null;
    if (options.complete && live) {
      assert.ok(period.completed_at !== null, 'every period is complete');
      if (period.manifests > 0 && telling.has(period.task_id)) assert.deepEqual(untold, [], 'late files are told');
    }
  }
}

/** The tasks whose settings ask for manifests by now. */
async function tellingTasks(rig: DumpRig): Promise<string[]> {
  const current = await rig.catalog.db
    .selectFrom('dump_tasks as t')
    .innerJoin('dump_task_versions as v', (join) =>
      join.onRef('v.task_id', '=', 't.task_id').onRef('v.version', '=', 't.version'),
    )
    .select(['t.task_id', 'v.settings'])
    .execute();
  return current.flatMap(({ task_id, settings }) => (parseStoredSettings(settings).manifest ? [task_id] : []));
}

/** Every delivered record is in one object that counts, or is a dead letter. */
async function auditRecords(
  rig: DumpRig,
  rows: readonly DumpLogRow[],
  living: readonly DumpLogRow[],
  { put, complete }: PeriodAuditOptions,
): Promise<void> {
  const tasks = new Set(rows.map(({ task_id }) => task_id));
  const positions = await rig.positions();
  for (const taskId of tasks) {
    const found: string[] = [];
    for (const row of living.filter(({ task_id }) => task_id === taskId)) {
      const records = await recordsOf(rig, row);
      assert.equal(records.length, row.records, `${row.object_key} has as many records as its row says`);
      found.push(...records);
    }
    for (const row of rows) {
      if (row.task_id !== taskId || row.dead_letter_key === null) continue;
      const lines = (await rig.object(row.bucket, row.dead_letter_key)).trim().split('\n');
      found.push(...lines.map((line) => (JSON.parse(line) as { payload: string }).payload));
    }
    const expected = positions
      .filter(({ task_id }) => task_id === taskId)
      .flatMap(({ partition, position }) => {
        if (complete && taskId === [...tasks].at(-1)) assert.equal(position, put[partition]!.length, 'all is through');
        return put[partition]!.slice(0, position).map(({ data }) => data);
      });
    assert.deepEqual(found.toSorted(), expected.toSorted(), 'each record once');
  }
}

function auditMerges(rows: readonly DumpLogRow[], complete: boolean): void {
  for (const merge of rows.filter(({ kind }) => kind === 'merge')) {
    const inputs = rows.filter(({ merge_id }) => merge_id === merge.id);
    if (merge.state !== 0) {
      assert.ok(
        inputs.every(({ superseded_at }) => superseded_at === null),
        'only a committed merge supersedes',
      );
      continue;
    }
    assert.ok(inputs.length > 1);
    assert.equal(merge.records, sum(inputs.map(({ records }) => records)));
    for (const input of inputs) {
      assert.equal(input.superseded_at, merge.end_time);
      assert.deepEqual([input.path, input.period, input.manifest], [merge.path, merge.period, null]);
      if (complete) assert.notEqual(input.removed_at, null);
    }
    const ordered = inputs.toSorted(
      (a, b) => a.partition - b.partition || a.first_sequence - b.first_sequence || a.id - b.id,
    );
    const compressed = merge.object_key.endsWith('.gz');
    if (!compressed) assert.equal(merge.bytes, sum(ordered.map(({ bytes }) => bytes)));
  }
  for (const row of rows.filter(({ superseded_at }) => superseded_at !== null)) {
    const merge = rows.find(({ id }) => id === row.merge_id);
    assert.equal(merge?.state, 0, 'what is superseded is in a committed merge');
  }
}

interface ManifestFile {
  readonly key: string;
  readonly records: number;
  readonly bytes: number;
  readonly checksum: string;
  readonly merged: boolean;
  readonly sequences: readonly { readonly partition: string; readonly first: string; readonly last: string }[];
}

async function auditManifest(
  rig: DumpRig,
  rows: readonly DumpLogRow[],
  manifest: {
    readonly task_id: string;
    readonly period: number;
    readonly number: number;
    readonly bucket: string;
    readonly object_key: string;
    readonly checksum: string | null;
  },
): Promise<void> {
  const { task_id, period, number } = manifest;
  const text = await rig.object(manifest.bucket, manifest.object_key);
  assert.equal(manifest.checksum, checksum(Buffer.from(text)));
  const { files, totals, ...head } = JSON.parse(text) as Record<string, unknown> & {
    files: ManifestFile[];
    totals: { files: number; records: number; bytes: number };
  };
  assert.deepEqual(
    [head['task_id'], head['period_start'], head['number'], head['complete']],
    [task_id, new Date(period).toISOString(), number, true],
  );
  const listed = rows.filter((row) => row.task_id === task_id && row.period === period && row.manifest === number);
  assert.deepEqual(files.map(({ key }) => key).toSorted(), listed.map(({ object_key }) => object_key).toSorted());
  assert.deepEqual(totals, {
    files: files.length,
    records: sum(files.map(({ records }) => records)),
    bytes: sum(files.map(({ bytes }) => bytes)),
  });
  for (const file of files) {
    const row = listed.find(({ object_key }) => object_key === file.key)!;
    assert.equal(row.superseded_at, null, 'what a manifest lists stays');
    assert.deepEqual([file.records, file.bytes, file.checksum], [row.records, row.bytes, row.checksum]);
    assert.equal(file.merged, row.kind === 'merge');
    for (const { first, last } of file.sequences) assert.ok(Number(first) <= Number(last));
    assert.ok(file.sequences.length > 0);
    const inputs = rows.filter(({ merge_id }) => merge_id === row.id);
    for (const { partition, first_record, last_record } of file.merged ? inputs : [row]) {
      const range = file.sequences.find(
        ({ partition: id, first, last }) =>
          Number(id.slice('shardId-'.length)) === partition &&
          Number(first) <= first_record! &&
          Number(last) >= last_record!,
      );
      assert.ok(range !== undefined, `${file.key} tells of records ${first_record} to ${last_record}`);
    }
  }
}

/** What came into a complete period later was late: it arrived when the period was not waited for any more. */
function auditPunctuality(
  rows: readonly DumpLogRow[],
  taskId: string,
  period: { readonly period: number; readonly ends_at: number; readonly completed_at: number | null },
  { put, latenessMs }: PeriodAuditOptions,
): void {
  const later = rows.filter(
    (row) =>
      row.task_id === taskId &&
      row.period === period.period &&
      row.kind === 'delivery' &&
      row.state === 0 &&
      row.object_key !== '' &&
      row.end_time > period.completed_at!,
  );
  if (latenessMs === undefined) {
    assert.deepEqual(later, [], 'directories of the plan get no file once they are complete');
    return;
  }
  for (const row of later) {
    const { at } = put[row.partition]![row.first_record!]!;
    assert.ok(at >= period.ends_at + latenessMs, `record ${row.first_record} had arrived in time`);
  }
}

async function recordsOf(rig: DumpRig, row: DumpLogRow): Promise<string[]> {
  const bytes = await bytesOf(rig, row);
  const text = (row.object_key.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  return text.split('\n').slice(0, -1);
}

async function bytesOf(rig: DumpRig, { bucket, object_key }: DumpLogRow): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of rig.store.read(bucket, object_key)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function checksum(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
