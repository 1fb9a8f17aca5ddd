/**
 * Makes a dump task. The bucket is checked first, outside of the change: a slow store holds up nobody. The position of
 * each partition is taken inside of it: LATEST is the end of the partition at that moment.
 */
import { insertPositions } from '../../catalog/dump-positions.ts';
import {
  countLiveTasks,
  insertTask,
  insertTaskVersion,
  selectTaskByName,
  streamExists,
  type DumpTaskRow,
} from '../../catalog/dump-tasks.ts';
import { DomainError } from '../../model/errors.ts';
import { makeId } from '../../model/ids.ts';
import type { Stream } from '../../model/stream.ts';
import { validBounds } from '../../streams/valid-bounds.ts';
import type { DumpServices } from '../dump-services.ts';
import { leasesOfTask } from './lease-names.ts';
import { makeTask } from './load-tasks.ts';
import { newPosition } from './new-position.ts';
import { parseSettings, parseTaskName } from '../settings/parse-settings.ts';
import { stringifySettings, type DumpDescriptor, type DumpSettings } from '../settings/settings.ts';
import { streamForm } from '../settings/stream-form.ts';

/**
 * Resolves to the id of the new task. Throws InvalidBody, InvalidSchema, UnsupportedDestination, BucketNotFound,
 * ObjectStoreRefused, TaskExists, TooManyTasks, and StreamNotFound when the stream is deleted meanwhile.
 */
export async function createTask(services: DumpServices, stream: Stream, descriptor: DumpDescriptor): Promise<string> {
  const { catalog, clock, random, limits, objectStore, dumpEngine } = services;
  const name = parseTaskName(descriptor, limits);
  const settings = parseSettings(descriptor, services, streamForm(stream));
  await objectStore.checkBucket(settings.bucket);

  return dumpEngine.change(async () => {
    const now = clock.now();
    const task: DumpTaskRow = {
      task_id: makeId((size) => random.bytes(size)),
      project_id: stream.projectId,
      stream: stream.number,
      stream_id: stream.id,
      stream_name: stream.name,
      name,
      state: 'STARTING',
      version: 1,
      created_at: now,
      deleted_at: null,
      log_rows: 0,
      kind: 'live',
      parent_id: null,
      draining: 0,
      schema_revision: 0,
      log_begin: null,
      plan_floor: 0,
    };
    // As it is now: partitions that it gets from here on are the scheduler's to add (cover-partitions.ts).
    const current = services.registry.byNumber(stream.number);
    if (current === undefined) throw new DomainError('StreamNotFound', [stream.name, stream.projectId]);
    const positions = (await startingPositions(services, current, settings)).map((start) =>
      newPosition({ taskId: task.task_id, ...start, end: null }, now),
    );
    await catalog.db.transaction().execute(async (transaction) => {
      if (!(await streamExists(transaction, stream.number))) {
        throw new DomainError('StreamNotFound', [stream.name, stream.projectId]);
      }
      if ((await selectTaskByName(transaction, stream.number, name)) !== undefined) {
        throw new DomainError('TaskExists', [name, stream.name]);
      }
      if ((await countLiveTasks(transaction, stream.number)) >= limits.tasks_per_stream) {
        throw new DomainError('TooManyTasks', [stream.name, limits.tasks_per_stream]);
      }
      await insertTask(transaction, task);
      await insertTaskVersion(transaction, {
        task_id: task.task_id,
        version: 1,
        settings: stringifySettings(settings),
        created_at: now,
      });
      await insertPositions(transaction, positions);
      const partitions = positions.map(({ partition }) => partition);
      await dumpEngine.parts.cluster.leases.add(transaction, leasesOfTask(task.task_id, partitions));
      await dumpEngine.announce(transaction, task.task_id);
    });
    dumpEngine.added(makeTask(task, settings, positions));
    return task.task_id;
  });
}

/** Where a task begins in each partition. Throws StreamNotFound. */
function startingPositions({ recordLog, clock }: DumpServices, stream: Stream, settings: DumpSettings) {
  return Promise.all(
    stream.partitions.map(async ({ ref }) => {
      const { first, next } = await validBounds(recordLog, clock, stream, ref);
      return { partition: ref.partition, position: settings.consumerStrategy === 'LATEST' ? next : first };
    }),
  );
}
