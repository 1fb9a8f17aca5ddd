/**
 * What a walk through a log takes for wrong, while the log is pruned from its beginning. Before it is reported it is looked at
 * again: rows that are gone by then prove nothing.
 */
import type { Kysely } from 'kysely';
import { selectPositions } from '../../catalog/dump-positions.ts';
import { selectTask } from '../../catalog/dump-tasks.ts';
import type { Database } from '../../catalog/schema.ts';
import type { Finding } from './finding.ts';

/** Where the kept part of a log begins at a moment. */
export interface LogBegin {
  /** Rows that were planned before it, in ms, are gone or about to go; 0 while nothing was pruned. */
  readonly time: number;
  /** By partition: the first record that it tells of, where that is known. */
  readonly starts: ReadonlyMap<number, number | null>;
}

export interface Doubt {
  readonly finding: Finding;
  /** Whether it is a finding in a log that begins there. */
  stands(begin: LogBegin): boolean;
}

/** The findings that stand. */
export async function confirmed(db: Kysely<Database>, taskId: string, doubts: readonly Doubt[]): Promise<Finding[]> {
  if (doubts.length === 0) return [];
  const time = await selectLogBegin(db, taskId);
  const positions = await selectPositions(db, [taskId]);
  const starts = new Map(positions.map(({ partition, start_position }) => [partition, start_position]));
  return doubts.filter((doubt) => doubt.stands({ time, starts })).map(({ finding }) => finding);
}

/** See LogBegin.time; Infinity for a task that is forgotten. */
export async function selectLogBegin(db: Kysely<Database>, taskId: string): Promise<number> {
  const task = await selectTask(db, taskId);
  return task === undefined ? Infinity : (task.log_begin ?? 0);
}
