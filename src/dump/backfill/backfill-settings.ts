/**
 * What the files of a backfill look like: as its task's own do at the moment, but for the prefix, which must be another
 * one, and whatever else the request wants to be different.
 */
import { DomainError } from '../../model/errors.ts';
import { describeSettings } from '../settings/describe-settings.ts';
import { parseSettings, type SettingsLimits } from '../settings/parse-settings.ts';
import type { DumpDescriptor, DumpSettings, RecordForm } from '../settings/settings.ts';

/**
 * Members of the task's descriptor that are to be different: one that is absent is as the task has it, one that is null as
 * in a task that says nothing of it.
 */
export type BackfillChanges = Partial<Omit<DumpDescriptor, 'task_name' | 'file_prefix' | 'consumer_strategy'>>;

/** `stream` is the form that the stream gives its records. Throws what parseSettings throws. */
export function backfillSettings(
  limits: SettingsLimits,
  stream: RecordForm,
  task: DumpSettings,
  prefix: string,
  changes: BackfillChanges,
): DumpSettings {
  const settings = parseSettings(
    {
      ...(describeSettings(task) as Partial<DumpDescriptor>),
      // It does not wait for its interval: one that was good when the task was made is good enough.
      deliver_time_interval: Math.max(task.deliverSeconds, limits.minDeliverInterval),
      ...changes,
      obs_bucket_path: changes.obs_bucket_path ?? task.bucket,
      file_prefix: prefix,
      consumer_strategy: 'TRIM_HORIZON',
      task_name: '',
    },
    limits,
    stream,
  );
  if (folder(settings) === folder(task)) {
    throw new DomainError('InvalidBody', ['file_prefix', 'must not be that of the task']);
  }
  return settings;
}

function folder({ prefix }: DumpSettings): string {
  return prefix.replace(/\/$/, '');
}
