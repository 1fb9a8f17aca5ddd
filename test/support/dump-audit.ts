/** Checks what a dump engine has left behind against what was put: the promise of exactly-once files, spelled out. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { parseStoredSettings } from '../../src/dump/settings.ts';
import type { DumpRig } from './dump-rig.ts';

export interface AuditOptions {
  /** Everything that was ever put into each partition of `orders`, by sequence number. */
  readonly put: readonly (readonly string[])[];
  /** Whether every record must be delivered, given up or too old: all is through, and nothing fails any more. */
  readonly complete: boolean;
}

/**
 * Committed and given-up ranges tile each partition up to its position; committed objects hold exactly their records;
 * names increase; counts agree; and the buckets hold the committed objects and, while files are under way, theirs.
 */
export async function auditDump(rig: DumpRig, { put, complete }: AuditOptions): Promise<void> {
  const rows = await rig.rows();
  const tasks = await rig.catalog.db.selectFrom('dump_tasks').selectAll().execute();
  const versions = await rig.catalog.db.selectFrom('dump_task_versions').selectAll().execute();
  const allowed = new Set<string>();
  const expected = new Set<string>();

  for (const task of tasks) {
    const ofTask = rows.filter(({ task_id }) => task_id === task.task_id);
    assert.equal(task.log_rows, ofTask.length, 'log_rows counts the rows');
    const positions = (await rig.positions()).filter(({ task_id }) => task_id === task.task_id);
    if (complete && task.deleted_at === null) assert.equal(positions.length, put.length, 'every partition is taken');
    for (const row of positions) {
      const ofPartition = ofTask.filter(({ partition }) => partition === row.partition);
      const perFile = [...Map.groupBy(ofPartition, ({ file_name }) => file_name).values()];
      for (const [plan, ...attempts] of perFile) {
        const numbers = attempts.map(({ attempt }) => attempt);
        assert.deepEqual(
          numbers,
          numbers.map((_, index) => index + 1),
          'one row for each failed attempt',
        );
        assert.equal(plan!.attempt, numbers.length + 1);
      }
      const times = perFile.map(([plan]) => plan!.created_at);
      assert.deepEqual(
        times,
        [...new Set(times)].sort((a, b) => a - b),
        'names increase',
      );

      const tiles = ofPartition
        .filter(({ state, given_up }) => state === 0 || given_up === 1)
        .sort((a, b) => a.first_sequence - b.first_sequence);
      // Every task of the audit begins at 0.
      let at = 0;
      let discarded = 0;
      for (const tile of tiles) {
        assert.equal(tile.first_sequence, at, 'no gap, no overlap');
        assert.ok(tile.next_sequence > at, 'no empty file');
        at = tile.next_sequence;
        if (tile.given_up === 1) discarded += tile.next_sequence - tile.first_sequence;
      }
      assert.equal(row.position, at, 'the position is where the tiles end');
      assert.equal(row.discarded, discarded);
      if (complete && task.deleted_at === null) assert.equal(at, put[row.partition]!.length, 'all is through');

      const open = ofPartition.filter(({ state }) => state === 2);
      assert.ok(open.length <= 1, 'one plan at a time');
      for (const plan of open) {
        assert.equal(plan.first_sequence, at);
        assert.equal(task.deleted_at, null);
        allowed.add(plan.object_key);
      }
      for (const tile of tiles.filter(({ state }) => state === 0)) {
        const version = versions.find((v) => v.task_id === task.task_id && v.version === tile.task_version);
        const { delimiter } = parseStoredSettings(version!.settings);
        const records = put[row.partition]!.slice(tile.first_sequence, tile.next_sequence);
        const text = await rig.object(tile.bucket, tile.object_key);
        assert.equal(text, records.map((record) => record + delimiter).join(''));
        assert.equal(tile.checksum, `sha256:${createHash('sha256').update(text).digest('hex')}`);
        assert.equal(tile.bytes, Buffer.byteLength(text));
        assert.equal(tile.records, records.length);
        assert.equal(tile.read_records, records.length);
        expected.add(tile.object_key);
      }
    }
    // A crash may come between the end of a task and the removal of what it had not committed.
    for (const { cause, object_key } of ofTask) if (cause === 'task deleted') allowed.add(object_key);
  }
  const found = new Set(await rig.keys('bucket'));
  for (const key of expected) assert.ok(found.has(key), `${key} is missing`);
  for (const key of found) assert.ok(expected.has(key) || allowed.has(key), `${key} is in no committed row`);
  assert.equal(
    new Set(rows.filter(({ state }) => state === 0).map(({ object_key }) => object_key)).size,
    expected.size,
  );
}
