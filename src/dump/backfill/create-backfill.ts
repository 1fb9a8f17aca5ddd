/**
 * Makes a backfill: a task of its own that delivers a range of its parent's stream again, under another prefix, and then
 * ends. Its positions, its log and its names are its own, so the parent never hears of it.
 */
import { countBackfills } from '../../catalog/dump-backfills.ts';
import { insertPositions } from '../../catalog/dump-positions.ts';
import { insertColumns, selectColumns } from '../../catalog/dump-schemas.ts';
import { insertTask, insertTaskVersion, type DumpTaskRow } from '../../catalog/dump-tasks.ts';
import { DomainError } from '../../model/errors.ts';
import { makeId } from '../../model/ids.ts';
import type { Stream } from '../../model/stream.ts';
import { taskByName, type DumpServices } from '../dump-services.ts';
import { leasesOfTask } from '../tasks/lease-names.ts';
import { makeTask } from '../tasks/load-tasks.ts';
import { newPosition } from '../tasks/new-position.ts';
import { parseStoredSettings, stringifySettings, type DumpSettings } from '../settings/settings.ts';
import { streamForm } from '../settings/stream-form.ts';
import type { TaskState } from '../tasks/task-state.ts';
import { findRanges, measureRange, type BackfillPoints, type BackfillRange } from './backfill-range.ts';
import { backfillSettings, type BackfillChanges } from './backfill-settings.ts';

export interface BackfillRequest extends BackfillPoints {
  readonly prefix: string;
  readonly changes: BackfillChanges;
}

export interface BackfillPlan {
  readonly settings: DumpSettings;
  /** In order of partition. */
  readonly ranges: readonly BackfillRange[];
}

const FINISHED: TaskState = 'FINISHED';

/**
 * What a backfill would deliver, nothing made: the ranges with their bytes. Throws TaskNotFound, and what `findRanges`
 * and `backfillSettings` throw.
 */
export async function planBackfill(
  services: DumpServices,
  stream: Stream,
  taskName: string,
  request: BackfillRequest,
): Promise<BackfillPlan & { readonly bytes: readonly number[] }> {
  const task = await taskByName(services, stream, taskName);
  const plan = await preparePlan(services, stream, task.settings, request);
  return { ...plan, bytes: await Promise.all(plan.ranges.map((range) => measureRange(services.recordLog, range))) };
}

/**
 * Resolves to the id of the backfill and what it is going to deliver. Throws what `planBackfill` throws, BucketNotFound,
 * ObjectStoreRefused and TooManyBackfills.
 */
export async function createBackfill(
  services: DumpServices,
  stream: Stream,
  taskName: string,
  request: BackfillRequest,
): Promise<BackfillPlan & { readonly id: string }> {
  const { catalog, clock, random, limits, objectStore, dumpEngine } = services;
  const task = await taskByName(services, stream, taskName);
  const plan = await preparePlan(services, stream, task.settings, request);
  await objectStore.checkBucket(plan.settings.bucket);

  return dumpEngine.change(async () => {
    const parent = dumpEngine.task(task.task_id);
    if (parent === undefined) throw new DomainError('TaskNotFound', [taskName.slice(0, 64), stream.name]);
    const now = clock.now();
    const id = makeId((size) => random.bytes(size));
    const row: DumpTaskRow = {
      task_id: id,
      project_id: task.project_id,
      stream: task.stream,
      stream_id: task.stream_id,
      stream_name: task.stream_name,
      // A dot, which no task that people make has in its name.
      name: `${task.name}.${id}`,
      state: 'STARTING',
      version: 1,
      created_at: now,
      deleted_at: null,
      log_rows: 0,
      kind: 'backfill',
      parent_id: task.task_id,
      draining: 0,
      schema_revision: 0,
      log_begin: null,
      plan_floor: 0,
    };
    const positions = plan.ranges.map(({ ref, from, to }) =>
      newPosition({ taskId: id, partition: ref.partition, position: from, end: to }, now),
    );
    // Files of the same form have the columns that the task's own have: those that it knows so far.
    const known = sameForm(plan.settings, parent.settings) ? parent.schemaRevision : 0;
    await catalog.db.transaction().execute(async (transaction) => {
      if ((await countBackfills(transaction, task.task_id, FINISHED)) >= limits.backfills_per_task) {
        throw new DomainError('TooManyBackfills', [taskName, limits.backfills_per_task]);
      }
      await insertTask(transaction, row);
      const settings = stringifySettings(plan.settings);
      await insertTaskVersion(transaction, { task_id: id, version: 1, settings, created_at: now });
      await insertPositions(transaction, positions);
      const partitions = positions.map(({ partition }) => partition);
      await dumpEngine.parts.cluster.leases.add(transaction, leasesOfTask(id, partitions));
      await dumpEngine.announce(transaction, id);
      if (known > 0) {
        const columns = await selectColumns(transaction, task.task_id, known);
        await insertColumns(transaction, { task_id: id, revision: 1, columns, created_at: now });
      }
    });
    dumpEngine.added(makeTask({ ...row, schema_revision: known > 0 ? 1 : 0 }, plan.settings, positions));
    return { ...plan, id };
  });
}

async function preparePlan(
  services: DumpServices,
  stream: Stream,
  taskSettings: string,
  request: BackfillRequest,
): Promise<BackfillPlan> {
  const settings = backfillSettings(
    services,
    streamForm(stream),
    parseStoredSettings(taskSettings),
    request.prefix,
    request.changes,
  );
  return { settings, ranges: await findRanges(services, stream, request) };
}

function sameForm(one: DumpSettings, other: DumpSettings): boolean {
  return one.fileType === other.fileType && JSON.stringify(one.form) === JSON.stringify(other.form);
}
