/**
 * Pages of a task's dump log, answered from an index whatever the order, and by the catalog's reader, so that a page deep
 * in a long log holds up nobody. The log of a deleted task can be queried like any other.
 */
import { selectLogPage, type DumpLogRow } from '../catalog/dump-log.ts';
import { selectTask, type DumpTaskRow } from '../catalog/dump-tasks.ts';
import { DomainError } from '../model/errors.ts';
import { isId } from '../model/ids.ts';
import type { DumpServices } from './dump-services.ts';
import type { LogRequest } from './log-request.ts';

export interface LogPage {
  readonly task: DumpTaskRow;
  /** Rows of the whole log. */
  readonly total: number;
  readonly rows: readonly DumpLogRow[];
}

/** Throws InvalidRequest for an id that cannot be one and TaskNotFound, also for a task of another project. */
export async function queryLog(
  { catalog }: Pick<DumpServices, 'catalog'>,
  projectId: string,
  taskId: string,
  { column, descending, pageIndex, pageSize: size }: LogRequest,
): Promise<LogPage> {
  if (!isId(taskId)) throw new DomainError('InvalidRequest', ['task_id', 'must be 19 letters and digits']);
  const task = await selectTask(catalog.reader, taskId);
  if (task?.project_id !== projectId) throw new DomainError('TaskNotFound', [taskId]);

  // Compared by pages: the offset of a page that is far beyond the end may be no exact number.
  if (pageIndex > Math.ceil(task.log_rows / size)) return { task, total: task.log_rows, rows: [] };
  const offset = (pageIndex - 1) * size;
  const fromEnd = offset > task.log_rows / 2;
  const rows = await selectLogPage(catalog.reader, { taskId, column, descending, offset, size, fromEnd });
  return { task, total: rows[0]?.total ?? task.log_rows, rows };
}
