/**
 * Deletes a dump task with its backfills: uploads that run are aborted. Its files stay, and so does its log, which can
 * still be queried.
 */
import type { Stream } from '../../model/stream.ts';
import { taskByName, type DumpServices } from '../dump-services.ts';

/** Throws TaskNotFound. */
export async function deleteTask(services: DumpServices, stream: Stream, name: string): Promise<void> {
  await services.dumpEngine.change(async () => {
    const { task_id } = await taskByName(services, stream, name);
    // First: what a crash leaves of them is still found through the task, by the next call.
    for (const backfill of services.dumpEngine.backfillsOf(task_id)) await services.dumpEngine.end(backfill.id);
    await services.dumpEngine.end(task_id);
  });
}
