/** Changes the states of several tasks of a stream, all in one transaction. Runs inside a change of the engine. */
import { setTaskStatus } from '../../catalog/dump-tasks.ts';
import { DomainError } from '../../model/errors.ts';
import type { Stream } from '../../model/stream.ts';
import type { DumpServices } from '../dump-services.ts';
import type { TaskStatus } from './task-state.ts';
import type { DumpTask } from './task-table.ts';

/** Resolves to the tasks whose status is another one now. Throws TaskNotFound for an id that is not one of the stream's. */
export async function changeStates(
  { catalog, dumpEngine }: DumpServices,
  stream: Stream,
  taskIds: readonly string[],
  next: (task: DumpTask) => TaskStatus,
): Promise<DumpTask[]> {
  const changes = new Map<DumpTask, TaskStatus>();
  for (const id of taskIds) {
    const task = dumpEngine.task(id);
    if (task?.stream !== stream.number) throw new DomainError('TaskNotFound', [id.slice(0, 64), stream.name]);
    const { state, draining } = next(task);
    if (state !== task.state || draining !== task.draining) changes.set(task, { state, draining });
  }
  if (changes.size === 0) return [];
  await catalog.db.transaction().execute(async (transaction) => {
    for (const [{ id }, status] of changes) await setTaskStatus(transaction, id, status);
    for (const { id } of changes.keys()) await dumpEngine.announce(transaction, id);
  });
  for (const [task, status] of changes) Object.assign(task, status);
  return [...changes.keys()];
}
