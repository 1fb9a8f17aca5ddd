/**
 * Makes memory say of tasks what the catalog says, after another node has changed them. What this node works on stays as it
 * is: of that memory is right.
 */
import { selectPositions, type DumpPositionRow } from '../../catalog/dump-positions.ts';
import { selectLiveTasks, type DumpTaskWithSettings } from '../../catalog/dump-tasks.ts';
import type { DumpParts } from '../dump-config.ts';
import { parseStoredSettings } from '../settings/settings.ts';
import { addPairs, makeTask, toState } from './load-tasks.ts';
import { isActive } from './task-state.ts';
import type { DumpTask, TaskTable } from './task-table.ts';

/** Tasks that are, for this node, other ones than before. */
export interface FollowedTasks {
  /** Deleted: not in the table any more. */
  readonly gone: readonly DumpTask[];
  /** New, started, or with other settings. */
  readonly renewed: readonly DumpTask[];
  readonly stopped: readonly DumpTask[];
}

/** Databases bound the parameters of one statement. */
const TASKS_PER_READ = 500;

/** Runs in the lane. `taskIds`: those that may have changed. */
export async function followTasks(
  { catalog, streams }: Pick<DumpParts, 'catalog' | 'streams'>,
  table: TaskTable,
  taskIds: readonly string[] | 'all',
): Promise<FollowedTasks> {
  const { db } = catalog;
  const gone: DumpTask[] = [];
  const renewed: DumpTask[] = [];
  const stopped: DumpTask[] = [];
  const live = await selectLiveTasks(db, taskIds === 'all' ? undefined : taskIds);
  const rows = new Map(live.map((row) => [row.task_id, row]));
  const known = taskIds === 'all' ? Array.from(table.all(), ({ id }) => id) : taskIds;
  const ids = [...new Set([...known, ...rows.keys()])];
  for (let from = 0; from < ids.length; from += TASKS_PER_READ) {
    const some = ids.slice(from, from + TASKS_PER_READ);
    const positions = Map.groupBy(await selectPositions(db, some), ({ task_id }) => task_id);
    for (const id of some) {
      const row = rows.get(id);
      const task = table.get(id);
      if (row === undefined) {
        if (task === undefined) continue;
        task.state = 'DELETE';
        table.remove(task);
        gone.push(task);
      } else if (task === undefined) {
        // That of a stream that is gone is about to be, too.
        if (streams.byNumber(row.stream) === undefined) continue;
        const added = makeTask(row, parseStoredSettings(row.settings), positions.get(id) ?? []);
        for (const pair of added.pairs) pair.uncertain = true;
        table.add(added);
        renewed.push(added);
      } else {
        const before = { ...task, pairs: task.pairs.length };
        update(task, row, positions.get(id) ?? []);
        if (isActive(before.state) && !isActive(task.state)) stopped.push(task);
        else if (isRenewed(task, before)) renewed.push(task);
      }
    }
  }
  return { gone, renewed, stopped };
}

/** Whether there is more to do for a task than before. */
function isRenewed(
  task: DumpTask,
  before: Pick<DumpTask, 'state' | 'draining' | 'version'> & { pairs: number },
): boolean {
  const { version, state, draining, pairs } = task;
  const started = isActive(state) && (!isActive(before.state) || (before.draining && !draining));
  return started || version !== before.version || pairs.length > before.pairs;
}

function update(task: DumpTask, row: DumpTaskWithSettings, positions: readonly DumpPositionRow[]): void {
  task.state = toState(row.state);
  task.draining = row.draining === 1;
  task.schemaRevision = row.schema_revision;
  if (row.version !== task.version) {
    task.version = row.version;
    task.settings = parseStoredSettings(row.settings);
  }
  const before = task.pairs.length;
  addPairs(task, positions);
  for (const pair of task.pairs.slice(before)) pair.uncertain = true;
  const byPartition = new Map(positions.map((position) => [position.partition, position]));
  for (const pair of task.pairs) {
    // Redrives, which another node may make, change these.
    const position = byPartition.get(pair.ref.partition);
    if (position === undefined || pair.uncertain) continue;
    pair.discarded = position.discarded;
    pair.allDead = position.all_dead === 1;
  }
}
