/** What there is to redrive, and how far the redrives of a task have got. */
import { selectFailures } from '../../catalog/dump-log.ts';
import {
  countDeadLetters,
  countOpenRedrives,
  selectFailingRedrive,
  type DeadLetters,
  type OpenRedriveCount,
} from '../../catalog/dump-redrives.ts';
import type { Stream } from '../../model/stream.ts';
import { taskByName, type DumpServices } from '../dump-services.ts';
import type { Failure } from '../tasks/task-table.ts';

export interface RedriveDescription {
  /** Planned and not done. */
  readonly open: OpenRedriveCount;
  /** Why the oldest of them that has failed did so last. */
  readonly failure: Failure | undefined;
  /** Dead letters that no redrive has taken. */
  readonly dead: DeadLetters;
}

/** Throws TaskNotFound. */
export async function showRedrive(
  services: Pick<DumpServices, 'catalog'>,
  stream: Stream,
  taskName: string,
): Promise<RedriveDescription> {
  const { task_id: id } = await taskByName(services, stream, taskName);
  const { db } = services.catalog;
  const open = await countOpenRedrives(db, id);
  const failing = open.rows === 0 ? undefined : await selectFailingRedrive(db, id);
  const failures = failing === undefined ? undefined : await selectFailures(db, failing);
  return { open, failure: failures?.last, dead: await countDeadLetters(db, id) };
}
