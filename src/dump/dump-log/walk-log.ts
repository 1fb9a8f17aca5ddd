/**
 * A walk through a task's dump log, page by page in the order of the plans, for exports: it holds one page at a time and
 * asks for the next one when that is wanted. A row that is changed meanwhile is met once, as it is at that moment.
 */
import { selectFilteredAfter, type LogFilter } from '../../catalog/dump-log-filters.ts';
import type { DumpLogRow } from '../../catalog/dump-log.ts';
import type { DumpTaskRow } from '../../catalog/dump-tasks.ts';
import type { DumpServices } from '../dump-services.ts';
import { locateTask } from '../tasks/locate-task.ts';

export interface LogWalk {
  readonly task: DumpTaskRow;
  /** Pages of at least one row. */
  readonly pages: AsyncIterable<readonly DumpLogRow[]>;
}

/** Some 200 kB and a few milliseconds of the main thread, which serves puts meanwhile. */
const PAGE_ROWS = 200;

/** Throws InvalidRequest for an id that cannot be one and TaskNotFound, also for a task of another project. */
export async function walkLog(
  { catalog }: Pick<DumpServices, 'catalog'>,
  { projectId, taskId, filter }: { readonly projectId: string; readonly taskId: string; readonly filter: LogFilter },
  pageRows = PAGE_ROWS,
): Promise<LogWalk> {
  const task = await locateTask({ catalog }, projectId, taskId);
  return { task, pages: walk(catalog, taskId, filter, pageRows) };
}

async function* walk(
  { scanner }: DumpServices['catalog'],
  taskId: string,
  filter: LogFilter,
  pageRows: number,
): AsyncGenerator<readonly DumpLogRow[], void, undefined> {
  let last: DumpLogRow | undefined;
  for (;;) {
    const rows = await selectFilteredAfter(scanner, { taskId, filter }, last, pageRows);
    if (rows.length > 0) yield rows;
    if (rows.length < pageRows) return;
    last = rows.at(-1);
  }
}
