/**
 * Gives a dump task new settings: a new version that replaces the old one as a whole. A file that is planned already is
 * finished as it was planned.
 */
import { insertTaskVersion, setTaskVersion } from '../../catalog/dump-tasks.ts';
import { DomainError } from '../../model/errors.ts';
import type { Stream } from '../../model/stream.ts';
import { taskByName, type DumpServices } from '../dump-services.ts';
import { parseSettings, parseTaskName } from '../settings/parse-settings.ts';
import { parseStoredSettings, stringifySettings, type DumpDescriptor } from '../settings/settings.ts';
import { streamForm } from '../settings/stream-form.ts';

/**
 * `descriptor` names the task. An absent consumer_strategy means the task's own; another one is refused. Throws
 * InvalidBody, InvalidSchema, UnsupportedDestination, BucketNotFound, ObjectStoreRefused and TaskNotFound.
 */
export async function updateTask(services: DumpServices, stream: Stream, descriptor: DumpDescriptor): Promise<void> {
  const { catalog, clock, objectStore, dumpEngine } = services;
  const name = parseTaskName(descriptor, services.limits);
  const { consumerStrategy } = parseStoredSettings((await taskByName(services, stream, name)).settings);
  const settings = parseSettings(descriptor, services, streamForm(stream), consumerStrategy);
  if (settings.consumerStrategy !== consumerStrategy) {
    throw new DomainError('InvalidBody', ['consumer_strategy', 'cannot be changed']);
  }
  await objectStore.checkBucket(settings.bucket);

  await dumpEngine.change(async () => {
    const { task_id, version } = await taskByName(services, stream, name);
    await catalog.db.transaction().execute(async (transaction) => {
      await insertTaskVersion(transaction, {
        task_id,
        version: version + 1,
        settings: stringifySettings(settings),
        created_at: clock.now(),
      });
      await setTaskVersion(transaction, task_id, version + 1);
      await dumpEngine.announce(transaction, task_id);
    });
    const task = dumpEngine.task(task_id);
    if (task === undefined) return;
    task.version = version + 1;
    task.settings = settings;
    dumpEngine.changed(task);
  });
}
