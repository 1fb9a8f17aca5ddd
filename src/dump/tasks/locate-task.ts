/** Where a dump task is, by its id alone: live ones, backfills, and deleted ones, whose log stays. */
import { selectTask, type DumpTaskRow } from '../../catalog/dump-tasks.ts';
import { DomainError } from '../../model/errors.ts';
import { isId } from '../../model/ids.ts';
import type { DumpServices } from '../dump-services.ts';

/** Throws InvalidRequest for an id that cannot be one and TaskNotFound, also for a task of another project. */
export async function locateTask(
  { catalog }: Pick<DumpServices, 'catalog'>,
  projectId: string,
  taskId: string,
): Promise<DumpTaskRow> {
  if (!isId(taskId)) throw new DomainError('InvalidRequest', ['task_id', 'must be 19 letters and digits']);
  const task = await selectTask(catalog.reader, taskId);
  if (task?.project_id !== projectId) throw new DomainError('TaskNotFound', [taskId]);
  return task;
}
