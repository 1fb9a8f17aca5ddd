/** How the use cases of backfills find one: by its id, below the task that it was asked of. */
import { selectBackfill } from '../../catalog/dump-backfills.ts';
import type { DumpTaskWithSettings } from '../../catalog/dump-tasks.ts';
import { DomainError } from '../../model/errors.ts';
import type { Stream } from '../../model/stream.ts';
import { taskByName, type DumpServices } from '../dump-services.ts';

export interface FoundBackfill {
  readonly parent: DumpTaskWithSettings;
  readonly backfill: DumpTaskWithSettings;
}

/** Throws TaskNotFound for the task as for the backfill; one that was cancelled is none. */
export async function findBackfill(
  services: Pick<DumpServices, 'catalog'>,
  stream: Stream,
  taskName: string,
  id: string,
): Promise<FoundBackfill> {
  const parent = await taskByName(services, stream, taskName);
  const backfill = await selectBackfill(services.catalog.db, parent.task_id, id);
  if (backfill === undefined) throw new DomainError('TaskNotFound', [id.slice(0, 64), taskName]);
  return { parent, backfill };
}
