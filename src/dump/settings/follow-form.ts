/**
 * Tasks follow their stream when it gives its records another form (`data_type`, `data_schema`): each gets a new version
 * of its settings, so that every file tells by which form it was made. As with new partitions, each look of the scheduler
 * finds what has to follow, which also makes good a crash in between.
 */
import type { Kysely } from 'kysely';
import { insertTaskVersion, selectTaskSettings, setTaskVersion } from '../../catalog/dump-tasks.ts';
import type { Database } from '../../catalog/schema.ts';
import { DomainError, isDomainError } from '../../model/errors.ts';
import type { Stream } from '../../model/stream.ts';
import type { DumpParts, Streams } from '../dump-config.ts';
import { checkSettings } from './settings-rules.ts';
import { parseStoredSettings, stringifySettings, type DumpSettings } from './settings.ts';
import { streamForm } from './stream-form.ts';
import type { DumpTask } from '../tasks/task-table.ts';
import { taskTransaction } from '../tasks/task-transaction.ts';

/** Whether the stream of a task has given its records another form than the task has, and the task can follow. */
export function hasOldForm(streams: Streams, task: DumpTask): boolean {
  const current = isFollower(task) ? streams.byNumber(task.stream) : undefined;
  return current !== undefined && followed(task.settings, current) !== undefined;
}

/** A task that has finished makes no more files: its settings tell how those it made were made. */
function isFollower({ state }: DumpTask): boolean {
  return state !== 'FINISHED';
}

/**
 * Refuses what a stream is about to become, for the first of `tasks` that it concerns and that could not follow. A task
 * that has finished has no say. Throws InvalidBody and InvalidSchema.
 */
export function checkFollowers(tasks: Iterable<DumpTask>, next: Stream): void {
  for (const task of tasks) {
    const settings = task.stream === next.number && isFollower(task) ? withForm(task.settings, next) : undefined;
    const refusal = settings && refusalOf(settings);
    if (refusal === undefined) continue;
    const [kind, member] =
      next.dataType === task.settings.form.dataType
        ? (['InvalidSchema', 'data_schema'] as const)
        : (['InvalidBody', 'data_type'] as const);
    throw new DomainError(kind, [member, `the dump task ${task.name} could not go on: ${refusal.message}`], refusal);
  }
}

/**
 * Runs in the lane, for tasks that are not deleted; any node may do it. One that cannot follow keeps the form it had: it was
 * made in the very moment in which its stream changed. `announce` is called in the transaction of each task that follows.
 */
export async function followForms(
  parts: Pick<DumpParts, 'catalog' | 'cluster' | 'clock' | 'streams'>,
  tasks: Iterable<DumpTask>,
  announce: (transaction: Kysely<Database>, taskId: string) => Promise<void>,
): Promise<void> {
  const { clock, streams } = parts;
  for (const task of [...tasks].filter((task) => hasOldForm(streams, task))) {
    const current = streams.byNumber(task.stream);
    if (current === undefined) continue;
    const newest = await taskTransaction(parts, { tasks: [task.id], leases: [] }, async (transaction) => {
      // Another node, or an earlier try, may have written more than memory knows.
      const row = await selectTaskSettings(transaction, task.id);
      if (row === undefined) return undefined;
      const stored = { version: row.version, settings: parseStoredSettings(row.settings) };
      const settings = followed(stored.settings, current);
      if (settings === undefined) return stored;
      const version = stored.version + 1;
      await insertTaskVersion(transaction, {
        task_id: task.id,
        version,
        settings: stringifySettings(settings),
        created_at: clock.now(),
      });
      await setTaskVersion(transaction, task.id, version);
      await announce(transaction, task.id);
      return { version, settings };
    });
    if (newest !== undefined) Object.assign(task, newest);
  }
}

/** The settings with the form of a stream; undefined when there is nothing to change, or no way. */
function followed(settings: DumpSettings, stream: Stream): DumpSettings | undefined {
  const next = withForm(settings, stream);
  return next === undefined || refusalOf(next) !== undefined ? undefined : next;
}

/** The settings with the form of a stream; undefined when that is the one they have. */
function withForm(settings: DumpSettings, stream: Stream): DumpSettings | undefined {
  const { form, ownSchema } = settings;
  const next = streamForm(stream);
  const dataSchema = ownSchema ?? next.dataSchema;
  const same =
    form.dataType === next.dataType && form.dataSchema === dataSchema && form.csvDelimiter === next.csvDelimiter;
  return same ? undefined : { ...settings, form: { ...next, dataSchema } };
}

function refusalOf(settings: DumpSettings): DomainError | undefined {
  try {
    checkSettings(settings);
    return undefined;
  } catch (error) {
    if (isDomainError(error)) return error;
    throw error;
  }
}
