/** What the use cases of dump tasks work with, and how they find a task. */
import type { Catalog } from '../catalog/catalog.ts';
import { selectTaskByName, type DumpTaskWithSettings } from '../catalog/dump-tasks.ts';
import { DomainError } from '../model/errors.ts';
import type { Limits } from '../model/limits.ts';
import type { Stream } from '../model/stream.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import type { RecordLog } from '../recordlog/record-log.ts';
import type { StreamRegistry } from '../streams/stream-registry.ts';
import type { DumpEngine } from './engine.ts';

export interface DumpServices {
  readonly catalog: Catalog;
  readonly recordLog: RecordLog;
  readonly registry: StreamRegistry;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly random: Random;
  readonly objectStore: ObjectStore;
  readonly dumpEngine: DumpEngine;
  /** Seconds: the lowest deliver_time_interval taken. */
  readonly minDeliverInterval: number;
}

/** The live task of a name. Throws TaskNotFound. */
export async function taskByName(
  { catalog }: Pick<DumpServices, 'catalog'>,
  stream: Stream,
  name: string,
): Promise<DumpTaskWithSettings> {
  const task = await selectTaskByName(catalog.db, stream.number, name);
  if (task === undefined) throw new DomainError('TaskNotFound', [name.slice(0, 64), stream.name]);
  return task;
}
