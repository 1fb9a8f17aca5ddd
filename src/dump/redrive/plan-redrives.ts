/**
 * Plans redrives: every dead-letter object of a task that no redrive has taken becomes a planned row under the settings
 * that the task has now, and says that it is taken, all in one transaction. So no letter is ever taken twice.
 */
import { insertPlans } from '../../catalog/dump-log.ts';
import { selectNameTimes, setNameTimes } from '../../catalog/dump-positions.ts';
import { countDeadLetters, selectDeadRows, takeDeadLetters, type DeadRow } from '../../catalog/dump-redrives.ts';
import { addLogRows } from '../../catalog/dump-tasks.ts';
import { DomainError } from '../../model/errors.ts';
import type { Stream } from '../../model/stream.ts';
import { taskByName, type DumpServices } from '../dump-services.ts';
import { newPosition } from '../tasks/new-position.ts';
import { planName } from '../cuts/plan-name.ts';
import { planRow } from '../cuts/plan-row.ts';
import type { DumpTask, Pair } from '../tasks/task-table.ts';
import { taskTransaction } from '../tasks/task-transaction.ts';

export interface PlannedRedrives {
  /** Dead-letter objects that were taken. */
  readonly cuts: number;
  /** Letters in them. */
  readonly records: number;
}

/** Plans of one transaction: it holds up whoever else writes to the catalog. */
const PLANS_PER_TRANSACTION = 100;

/** They are carried out in the background. Throws TaskNotFound. */
export async function planRedrives(services: DumpServices, stream: Stream, taskName: string): Promise<PlannedRedrives> {
  const { dumpEngine, catalog } = services;
  const { task_id: id } = await taskByName(services, stream, taskName);
  // What a redrive leaves again while this one goes on is for the next one.
  const { last } = await countDeadLetters(catalog.db, id);
  let cuts = 0;
  let records = 0;
  try {
    for (;;) {
      const taken = await dumpEngine.change(() => planSome(services, id, last));
      cuts += taken.length;
      for (const { dead_letters } of taken) records += dead_letters;
      if (taken.length < PLANS_PER_TRANSACTION) return { cuts, records };
    }
  } finally {
    // Also when it failed: a transaction may have happened though it seemed not to.
    dumpEngine.redrivesPlanned(id);
  }
}

async function planSome(
  { catalog, clock, dumpEngine }: DumpServices,
  taskId: string,
  last: number,
): Promise<DeadRow[]> {
  const task = dumpEngine.task(taskId);
  if (task === undefined) throw new DomainError('TaskNotFound', [taskId]);
  const sources = await selectDeadRows(catalog.db, taskId, last, PLANS_PER_TRANSACTION);
  if (sources.length === 0) return [];
  const parts = { catalog, cluster: dumpEngine.parts.cluster };
  await taskTransaction(parts, { tasks: [taskId], leases: [] }, async (transaction) => {
    const names = (await selectNameTimes(transaction, [taskId])).get(taskId)!;
    const now = clock.now();
    const rows = sources.map((source) => {
      const createdAt = Math.max(now, (names.get(source.partition) ?? 0) + 1);
      names.set(source.partition, createdAt);
      return redriveRow(task, source, createdAt);
    });
    const ids = await insertPlans(transaction, rows);
    for (const [index, { id }] of sources.entries()) await takeDeadLetters(transaction, id, ids[index]!);
    const pairs = new Set(sources.map(({ partition }) => pairOf(task, partition)));
    await setNameTimes(
      transaction,
      [...pairs].map((pair) => named(pair, names.get(pair.ref.partition)!)),
    );
    await addLogRows(transaction, taskId, rows.length);
    await dumpEngine.announce(transaction, taskId);
  });
  return sources;
}

function redriveRow(
  task: DumpTask,
  { id, partition, first_sequence: first, next_sequence: next }: DeadRow,
  createdAt: number,
) {
  const { settings, version, schemaRevision } = task;
  const pair = pairOf(task, partition);
  const plan = {
    pair,
    first,
    next,
    createdAt,
    startTime: createdAt,
    baseName: planName(pair, createdAt),
    bucket: settings.bucket,
    version,
    settings,
    schemaRevision,
    attempt: 1,
  };
  return { ...planRow(plan), kind: 'redrive' as const, source_id: id };
}

function pairOf(task: DumpTask, partition: number): Pair {
  const pair = task.pairs.find(({ ref }) => ref.partition === partition);
  if (pair === undefined) throw new Error(`task ${task.id} has no position in partition ${partition}`);
  return pair;
}

/** A position of which the time of its newest name is what counts. */
function named({ task, ref, position, end }: Pair, time: number) {
  const row = newPosition({ taskId: task.id, partition: ref.partition, position, end }, 0);
  return { ...row, last_name_time: time };
}
