/** How far a backfill has got, and a page of the backfills of a task. */
import { countBackfills, selectBackfill, selectBackfillPage, type BackfillRow } from '../../catalog/dump-backfills.ts';
import { selectPositions } from '../../catalog/dump-positions.ts';
import type { DumpTaskRow } from '../../catalog/dump-tasks.ts';
import { DomainError } from '../../model/errors.ts';
import { formatPartitionId } from '../../model/partition-id.ts';
import type { Stream } from '../../model/stream.ts';
import { taskByName, type DumpServices } from '../dump-services.ts';
import { describeTask, type PartitionProgress, type TaskDescription } from '../tasks/show-task.ts';
import { findBackfill } from './find-backfill.ts';

export interface BackfillProgress extends PartitionProgress {
  /** The first record of the range, or of the oldest cut that the log still keeps. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

export interface BackfillDescription extends TaskDescription {
  readonly parent: DumpTaskRow;
  readonly partitions: readonly BackfillProgress[];
}

/** Throws TaskNotFound. */
export async function showBackfill(
  services: DumpServices,
  stream: Stream,
  taskName: string,
  id: string,
): Promise<BackfillDescription> {
  const { parent, backfill } = await findBackfill(services, stream, taskName, id);
  const starts = new Map(
    (await selectPositions(services.catalog.db, [id])).map((row) => [formatPartitionId(row.partition), row]),
  );
  const description = await describeTask(services, stream, backfill);
  return {
    ...description,
    parent,
    partitions: description.partitions.map((progress) => ({
      ...progress,
      from: starts.get(progress.partitionId)?.start_position ?? progress.position,
      to: progress.end ?? progress.position,
    })),
  };
}

export interface BackfillPage {
  readonly parent: DumpTaskRow;
  /** Of the task as a whole. */
  readonly total: number;
  readonly backfills: readonly BackfillRow[];
}

/** Up to `limit` of them, the newest first; those made before the one with the id `after`. Throws TaskNotFound. */
export async function listBackfills(
  services: DumpServices,
  stream: Stream,
  taskName: string,
  limit: number,
  after: string | undefined,
): Promise<BackfillPage> {
  const { db } = services.catalog;
  const parent = await taskByName(services, stream, taskName);
  const last = after === undefined ? undefined : await selectBackfill(db, parent.task_id, after);
  if (after !== undefined && last === undefined) throw new DomainError('TaskNotFound', [after.slice(0, 64), taskName]);
  const backfills = await selectBackfillPage(db, parent.task_id, last, limit);
  return { parent, total: await countBackfills(db, parent.task_id), backfills };
}
