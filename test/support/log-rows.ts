/** Dump logs made up for tests of how they are read: rows whose keys have many ties. */
import { insertPlans, type DumpLogRow, type NewLogRow } from '../../src/catalog/dump-log.ts';
import type { LogSortColumn } from '../../src/catalog/dump-log-pages.ts';
import { insertTask } from '../../src/catalog/dump-tasks.ts';
import type { RankSizes } from '../../src/dump/dump-log/rank-keeper.ts';
import { openTestCatalog, type TestCatalog } from './catalog.ts';
import { PROJECT } from './dump-rig.ts';
import { seededFraction } from './random.ts';

export const TASK = 'CDaRPdvKUfZrAhzTaYs';
export const OTHER_TASK = 'AAAAAAAAAAAAAAAAAAA';

/** So small that a few dozen rows have separators on both levels. */
export const SMALL_RANKS: RankSizes = {
  threshold: 5,
  leaf: { target: 3, min: 2, max: 5 },
  group: { target: 8, min: 4, max: 14 },
};

/** A task with a log of `rows` rows, and beside it a task of another project with a log of its own. */
export async function openLog(rows: number): Promise<TestCatalog> {
  const catalog = await openTestCatalog();
  for (const [id, project] of [
    [TASK, PROJECT],
    [OTHER_TASK, 'other'],
  ] as const) {
    await insertTask(catalog.db, {
      task_id: id,
      project_id: project,
      stream: 1,
      stream_id: 's'.repeat(19),
      stream_name: 'orders',
      name: id,
      state: 'RUNNING',
      version: 1,
      created_at: 1,
      deleted_at: null,
      log_rows: rows,
    });
    const fraction = seededFraction(3);
    const few = () => Math.floor(fraction() * 4);
    const all = Array.from({ length: rows }, (_, index) => logRow(id, index, few));
    if (rows > 0) await insertPlans(catalog.db, all);
  }
  return catalog;
}

/** `few` gives small numbers. */
export function logRow(taskId: string, index: number, few: () => number): NewLogRow {
  return {
    task_id: taskId,
    task_version: 1,
    partition: few(),
    state: few() % 3,
    first_sequence: index,
    next_sequence: index + 1,
    created_at: few(),
    start_time: few(),
    end_time: few(),
    read_records: few(),
    records: few(),
    bytes: few(),
    file_name: `${taskId}.${index}`,
    bucket: 'b',
    object_key: `${taskId}.${index}`,
    checksum: null,
    etag: null,
    attempt: 1,
    error_code: null,
    cause: null,
    given_up: 0,
    kind: (['delivery', 'merge', 'redrive', 'delivery'] as const)[few()]!,
    dead_letters: Math.max(0, few() - 2),
  };
}

/** The order of a log, by a key and then by the order in which the rows were made. */
export function byKey(column: LogSortColumn) {
  return (a: DumpLogRow, b: DumpLogRow) => a[column] - b[column] || a.id - b.id;
}
