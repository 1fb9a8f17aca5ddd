/** Changes the states of several tasks of a stream, all in one transaction. Runs inside a change of the engine. */
import { setTaskState } from '../catalog/dump-tasks.ts';
import { DomainError } from '../model/errors.ts';
import type { Stream } from '../model/stream.ts';
import type { DumpServices } from './dump-services.ts';
import type { TaskState } from './task-state.ts';
import type { DumpTask } from './task-table.ts';

/** Resolves to the tasks whose state is another one now. Throws TaskNotFound for an id that is not one of the stream's. */
export async function changeStates(
  { catalog, dumpEngine }: DumpServices,
  stream: Stream,
  taskIds: readonly string[],
  next: (state: TaskState) => TaskState,
): Promise<DumpTask[]> {
  const changes = new Map<DumpTask, TaskState>();
  for (const id of taskIds) {
    const task = dumpEngine.task(id);
    if (task?.stream !== stream.number) throw new DomainError('TaskNotFound', [id.slice(0, 64), stream.name]);
    const state = next(task.state);
    if (state !== task.state) changes.set(task, state);
  }
  if (changes.size === 0) return [];
  await catalog.db.transaction().execute(async (transaction) => {
    for (const [task, state] of changes) await setTaskState(transaction, task.id, state);
  });
  for (const [task, state] of changes) task.state = state;
  return [...changes.keys()];
}
