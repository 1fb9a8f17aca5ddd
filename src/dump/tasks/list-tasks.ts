/** One page of a stream's dump tasks in order of name. */
import { countLiveTasks, selectTaskPage, type DumpTaskSummary } from '../../catalog/dump-tasks.ts';
import type { Stream } from '../../model/stream.ts';
import type { DumpServices } from '../dump-services.ts';

export interface TaskPage {
  /** Of the whole stream. */
  readonly total: number;
  readonly tasks: readonly DumpTaskSummary[];
}

/** Up to `limit` tasks whose names come after `after` (exclusive; it need not exist); undefined starts at the first. */
export async function listTasks(
  { catalog }: Pick<DumpServices, 'catalog'>,
  stream: Stream,
  limit: number,
  after: string | undefined,
): Promise<TaskPage> {
  const tasks = await selectTaskPage(catalog.db, stream.number, after, limit);
  return { total: await countLiveTasks(catalog.db, stream.number), tasks };
}
