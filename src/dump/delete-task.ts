/** Deletes a dump task: uploads that run are aborted. Its files stay, and so does its log, which can still be queried. */
import type { Stream } from '../model/stream.ts';
import { taskByName, type DumpServices } from './dump-services.ts';

/** Throws TaskNotFound. */
export async function deleteTask(services: DumpServices, stream: Stream, name: string): Promise<void> {
  await services.dumpEngine.change(async () => {
    const { task_id } = await taskByName(services, stream, name);
    await services.dumpEngine.end(task_id);
  });
}
