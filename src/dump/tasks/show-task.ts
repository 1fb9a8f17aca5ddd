/** Everything about one dump task: its settings, its state, how far it has got in each partition, and what is wrong. */
import { selectDeadLetters } from '../../catalog/dump-log.ts';
import { DomainError, ERRORS } from '../../model/errors.ts';
import { formatPartitionId } from '../../model/partition-id.ts';
import type { Stream } from '../../model/stream.ts';
import { retentionEnd } from '../../streams/valid-bounds.ts';
import { taskByName, type DumpServices } from '../dump-services.ts';
import type { DumpSettings } from '../settings/settings.ts';
import { statusAfterWork, type TaskState } from './task-state.ts';
import { taskLease } from './lease-names.ts';
import { loadTask } from './load-tasks.ts';
import { workOf, type DumpTask, type Failure, type Pair, type Plan } from './task-table.ts';
import { undeliveredOf } from './undelivered.ts';

/** What goes wrong at the moment. Times in ms. */
export interface Trouble extends Failure {
  /** When the file that fails failed first; undefined for dead letters. */
  readonly since: number | undefined;
  /** Undefined while a try runs, for a task that is stopped, and for dead letters. */
  readonly nextTry: number | undefined;
}

export interface PartitionProgress {
  readonly partitionId: string;
  readonly state: TaskState;
  /** Records that are in no file: given up, or dead letters. */
  readonly discarded: number;
  /** Time of the newest commit in ms, or undefined before the first. */
  readonly lastTransferAt: number | undefined;
  /** The first record that is not delivered yet. */
  readonly position: number;
  /** Exclusive end of what is to be delivered; undefined for a task that has none. */
  readonly end: number | undefined;
  readonly trouble: Trouble | undefined;
  /** Records from the position on that are to be delivered. */
  readonly undelivered: number;
  /** When the first of them arrived, in ms; undefined when there is none, or when it is not kept any more or unreadable. */
  readonly oldestAt: number | undefined;
  /** When it expires; undefined also when the task has it held. */
  readonly expiresAt: number | undefined;
}

export interface TaskDescription {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly createdAt: number;
  readonly state: TaskState;
  readonly draining: boolean;
  readonly settings: DumpSettings;
  readonly lastTransferAt: number | undefined;
  /** That of the partition that has failed longest, or else what there is to say of dead letters. */
  readonly trouble: Trouble | undefined;
  /** Records that could not be converted and that no redrive has taken. */
  readonly deadLetters: number;
  readonly undelivered: number;
  /** In order of partition number. */
  readonly partitions: readonly PartitionProgress[];
}

/** Throws TaskNotFound. */
export async function showTask(services: DumpServices, stream: Stream, name: string): Promise<TaskDescription> {
  const row = await taskByName(services, stream, name);
  return describeTask(services, stream, row);
}

/** The same of a task that was found otherwise: a backfill, by its row. Throws TaskNotFound when it is deleted by now. */
export async function describeTask(
  services: DumpServices,
  stream: Stream,
  { task_id: id, name, created_at: createdAt }: { task_id: string; name: string; created_at: number },
): Promise<TaskDescription> {
  const { catalog } = services;
  const task = await currentTask(services, id);
  if (task === undefined) throw new DomainError('TaskNotFound', [name.slice(0, 64), stream.name]);
  const { state, draining, version, settings } = task;
  const pairs = task.pairs.toSorted((a, b) => a.ref.partition - b.ref.partition);
  const partitions = await Promise.all(pairs.map((pair) => describePartition(services, stream, pair)));
  // After the state was looked at: the dead letters of a task in ERROR are in the catalog by then.
  const { records: deadLetters, newestKey } = await selectDeadLetters(catalog.reader, id);
  const times = partitions.flatMap(({ lastTransferAt }) => lastTransferAt ?? []);
  return {
    id,
    name,
    version,
    createdAt,
    state,
    draining,
    settings,
    lastTransferAt: times.length === 0 ? undefined : Math.max(...times),
    trouble: troubleOfTask(state, partitions, newestKey),
    deadLetters,
    undelivered: partitions.reduce((sum, { undelivered }) => sum + undelivered, 0),
    partitions,
  };
}

/** As memory has it, or the catalog when another node works on some of it. */
async function currentTask({ catalog, dumpEngine }: DumpServices, id: string): Promise<DumpTask | undefined> {
  const { leases } = dumpEngine.parts.cluster;
  const task = dumpEngine.task(id);
  if (task === undefined) return undefined;
  const isOwn = leases.held(taskLease(id)) !== undefined && !task.pairs.some(({ uncertain }) => uncertain);
  return isOwn ? task : loadTask(catalog, id);
}

async function describePartition(services: DumpServices, stream: Stream, pair: Pair): Promise<PartitionProgress> {
  const { recordLog } = services;
  const { ref, position, end, discarded, lastTransferAt, task } = pair;
  const shown = {
    partitionId: formatPartitionId(ref.partition),
    state: stateOfPartition(pair),
    discarded,
    lastTransferAt: lastTransferAt ?? undefined,
    position,
    end: end ?? undefined,
    trouble: troubleOf(services, pair),
  };
  // Asked for last: everything above is of one moment.
  const { next } = await undeliveredOf(recordLog, { ref, position, end });
  const undelivered = Math.max(0, next - position);
  // A place that cannot be read costs its time alone; expiry-watch.ts, which reads the same place, logs it.
  const arrival = () => recordLog.arrivalTime(ref, position).catch(() => undefined);
  const oldestAt = undelivered === 0 ? undefined : await arrival();
  const held = task.settings.holdRetention;
  return {
    ...shown,
    undelivered,
    oldestAt,
    expiresAt: oldestAt === undefined || held ? undefined : retentionEnd(stream, oldestAt),
  };
}

/** The state that the task would have if it had this partition alone. */
function stateOfPartition(pair: Pair): TaskState {
  const { task } = pair;
  if (task.state === 'STARTING') return task.state;
  return statusAfterWork(task, [workOf(pair)], task.settings.deliverSeconds * 1000).state;
}

function troubleOf(services: DumpServices, pair: Pair): Trouble | undefined {
  const { plan } = pair;
  if (plan?.failure === undefined) return undefined;
  return { ...plan.failure, since: plan.firstFailure, nextTry: nextTryOf(services, pair, plan) };
}

function nextTryOf({ clock, dumpEngine }: DumpServices, { task }: Pair, plan: Plan): number | undefined {
  if (task.state === 'PAUSED' || plan.phase !== 'waiting') return undefined;
  const now = clock.now();
  // Where another node makes the tries, only when the next one is to begin is known.
  if (dumpEngine.task(task.id) !== task)
    return plan.nextTryAt !== undefined && plan.nextTryAt > now ? plan.nextTryAt : undefined;
  return now + Math.max(0, Math.ceil(plan.retryAt - clock.monotonic()));
}

function troubleOfTask(
  state: TaskState,
  partitions: readonly PartitionProgress[],
  newestDeadLetters: string | undefined,
): Trouble | undefined {
  const [longest] = partitions
    .flatMap(({ trouble }) => trouble ?? [])
    .sort((a, b) => (a.since ?? Infinity) - (b.since ?? Infinity));
  if (longest !== undefined || state !== 'ERROR') return longest;
  const where = newestDeadLetters === undefined ? '' : `; see ${newestDeadLetters}`;
  const cause = `no record of the newest cuts could be converted${where}`;
  return { errorCode: ERRORS.InvalidRecord.code, cause, since: undefined, nextTry: undefined };
}
