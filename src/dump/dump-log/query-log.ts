/**
 * Pages of a task's dump log, answered from an index whatever the order, and by the catalog's reader, so that a page deep
 * in a long log holds up nobody. The log of a deleted task can be queried like any other.
 */
import type { DumpLogRow } from '../../catalog/dump-log.ts';
import { countFiltered, selectFilteredPage, type LogFilter } from '../../catalog/dump-log-filters.ts';
import { selectLogPage } from '../../catalog/dump-log-pages.ts';
import type { DumpTaskRow } from '../../catalog/dump-tasks.ts';
import type { DumpServices } from '../dump-services.ts';
import { locateTask } from '../tasks/locate-task.ts';
import type { LogRequest } from './log-request.ts';

export interface LogPage {
  readonly task: DumpTaskRow;
  /** Rows of the whole log, or of those that the filter leaves. */
  readonly total: number;
  readonly rows: readonly DumpLogRow[];
}

/** Throws InvalidRequest for an id that cannot be one and TaskNotFound, also for a task of another project. */
export async function queryLog(
  { catalog }: Pick<DumpServices, 'catalog'>,
  projectId: string,
  taskId: string,
  request: LogRequest,
): Promise<LogPage> {
  const task = await locateTask({ catalog }, projectId, taskId);
  const { filter } = request;
  if (filter !== undefined) return { task, ...(await filteredPage(catalog, taskId, filter, request)) };

  const { log_rows: total } = task;
  const { column, descending, pageSize: size } = request;
  const offset = offsetOf(request, total);
  if (offset === undefined) return { task, total, rows: [] };
  const by = nearestWay(offset, size, total);
  const rows = await selectLogPage(catalog.reader, { taskId, column, descending, offset, size, by });
  return { task, total: rows[0]?.total ?? total, rows };
}

/** The count is of the moment before the page. */
async function filteredPage(
  { scanner }: DumpServices['catalog'],
  taskId: string,
  filter: LogFilter,
  request: LogRequest,
): Promise<{ readonly total: number; readonly rows: readonly DumpLogRow[] }> {
  const total = await countFiltered(scanner, { taskId, filter });
  const { column, descending, pageSize: size } = request;
  const offset = offsetOf(request, total);
  if (offset === undefined) return { total, rows: [] };
  const rows = await selectFilteredPage(scanner, { taskId, filter, column, descending, offset, size });
  return { total, rows };
}

/** Undefined for a page beyond the end. Compared by pages: the offset of one that is far beyond it may be no exact number. */
function offsetOf({ pageIndex, pageSize }: LogRequest, total: number): number | undefined {
  return pageIndex > Math.ceil(total / pageSize) ? undefined : (pageIndex - 1) * pageSize;
}

/** Rows that are counted in about the time that it takes to find a separator. */
const COUNTED_ROWS = 2000;

function nearestWay(offset: number, size: number, total: number): 'start' | 'end' | 'ranks' {
  const behind = Math.max(0, total - offset - size);
  if (Math.min(offset, behind) > COUNTED_ROWS) return 'ranks';
  return offset <= behind ? 'start' : 'end';
}
