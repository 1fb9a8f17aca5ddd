/**
 * Pauses, resumes and cancels backfills. A pause lets the upload that runs finish; a cancelled backfill is deleted: what
 * it has delivered stays, and so does its log.
 */
import type { Stream } from '../../model/stream.ts';
import type { DumpServices } from '../dump-services.ts';
import { startTasks } from '../tasks/start-tasks.ts';
import { stopTasks } from '../tasks/stop-tasks.ts';
import { findBackfill } from './find-backfill.ts';

export const BACKFILL_ACTIONS = ['pause', 'resume'] as const;
export type BackfillAction = (typeof BACKFILL_ACTIONS)[number];

/** Changes nothing about one that is finished, or is that way already. Throws TaskNotFound. */
export async function changeBackfill(
  services: DumpServices,
  stream: Stream,
  taskName: string,
  id: string,
  action: BackfillAction,
): Promise<void> {
  const { backfill } = await findBackfill(services, stream, taskName, id);
  await (action === 'pause' ? stopTasks : startTasks)(services, stream, [backfill.task_id]);
}

/** Also takes one that is finished out of the list. Throws TaskNotFound. */
export async function cancelBackfill(
  services: DumpServices,
  stream: Stream,
  taskName: string,
  id: string,
): Promise<void> {
  await services.dumpEngine.change(async () => {
    const { backfill } = await findBackfill(services, stream, taskName, id);
    await services.dumpEngine.end(backfill.task_id);
  });
}
