/**
 * Takes rows out of dump logs once they are old enough, oldest first, in small transactions with pauses between them, so
 * that commits and pages hardly notice. It stops before the first row of a log that something still needs: a plan that is
 * not done, an object that has to be removed, a directory that is to be told or merged. Dead letters are not waited for:
 * their object stays, and can be redriven for as long as its row is kept.
 *
 * What is kept of a log begins at `log_begin`, in each partition at `start_position`; both move in the transaction that
 * removes the first row before them. A deleted task whose log is empty is forgotten.
 */
import {
  deleteLogRows,
  forgetTask,
  isPlanNeeded,
  selectForgettableTasks,
  selectOldRows,
  selectTasksWithOldRows,
  setLogBegin,
  setStartPosition,
  type OldRow,
  type PruneRule,
} from '../../catalog/dump-log-pruning.ts';
import { addLogRows } from '../../catalog/dump-tasks.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Clock, Timer } from '../../platform/clock.ts';
import { parseStoredSettings, type DumpSettings } from '../settings/settings.ts';

export interface LogPrunerOptions {
  readonly catalog: Pick<Catalog, 'db' | 'reader'>;
  readonly clock: Clock;
  /** How long rows are kept; 0: for ever. */
  readonly days: number;
  /** Rows of one transaction. */
  readonly batchRows?: number;
}

const DAY_MS = 86_400_000;
/** In a log of ten million rows each costs about half a millisecond of the writer's time. */
const BATCH_ROWS = 50;
/** A pause is this many times as long as the transaction before it, and not shorter than a moment. */
const PAUSES_PER_BATCH = 2;
const MIN_PAUSE_MS = 10;

export class LogPruner {
  readonly #options: LogPrunerOptions;
  #closed = false;
  #pause: { readonly timer: Timer; readonly end: () => void } | undefined;

  constructor(options: LogPrunerOptions) {
    this.#options = options;
  }

  /** The look that is under way ends after its current transaction. */
  close(): void {
    this.#closed = true;
    this.#pause?.timer.cancel();
    this.#pause?.end();
  }

  /** Removes everything that is old enough. */
  async look(): Promise<void> {
    const { catalog, clock, days } = this.#options;
    if (days === 0) return;
    const now = clock.now();
    const before = now - days * DAY_MS;
    for (const { task_id: taskId, settings, deleted_at } of await selectTasksWithOldRows(catalog.reader, before)) {
      const periods = deleted_at === null ? awaitedPeriods(parseStoredSettings(settings)) : undefined;
      const rule = { taskId, before, now, periods };
      for (let more = true; more && !this.#closed;) {
        const begin = clock.monotonic();
        more = await this.#removeSome(rule);
        await this.#rest(clock.monotonic() - begin);
      }
    }
    for (const taskId of await selectForgettableTasks(catalog.reader, before)) {
      if (this.#closed) return;
      await catalog.db.transaction().execute((transaction) => forgetTask(transaction, taskId));
    }
  }

  /** One transaction; false when there is nothing more to remove. */
  async #removeSome(rule: PruneRule): Promise<boolean> {
    const { catalog, batchRows = BATCH_ROWS } = this.#options;
    const { taskId } = rule;
    return catalog.db.transaction().execute(async (transaction) => {
      const rows = await selectOldRows(transaction, rule, batchRows);
      const removed = wholePlans(rows, rows.length === batchRows);
      const last = removed.at(-1);
      if (last === undefined) return false;
      // More rows than a batch has: the rest of them follows in the next ones.
      const single = rows.length === batchRows && last === rows.at(-1);
      if (single && (await isPlanNeeded(transaction, rule, last.created_at))) return false;
      await setLogBegin(transaction, taskId, last.created_at + 1);
      for (const [partition, start] of startsAfter(removed)) {
        await setStartPosition(transaction, { taskId, partition, start });
      }
      await deleteLogRows(
        transaction,
        removed.map(({ id }) => id),
      );
      await addLogRows(transaction, taskId, -removed.length);
      return true;
    });
  }

  async #rest(workedMs: number): Promise<void> {
    if (this.#closed) return;
    const ms = Math.max(MIN_PAUSE_MS, workedMs * PAUSES_PER_BATCH);
    await new Promise<void>((end) => {
      this.#pause = { timer: this.#options.clock.after(ms, end), end };
    });
    this.#pause = undefined;
  }
}

/** What a task that merges or tells its directories waits for. */
function awaitedPeriods({ manifest, mergeMegabytes }: DumpSettings): PruneRule['periods'] {
  const merge = mergeMegabytes !== undefined;
  return manifest || merge ? { merge } : undefined;
}

/**
 * The rows of plans older than that of the first row that is needed: a plan goes with all of its files and attempts. Where
 * `cut` says that more rows may follow, the last plan is left for later, unless there is no other.
 */
function wholePlans(rows: readonly OldRow[], cut: boolean): readonly OldRow[] {
  const first = rows.find(({ needed }) => needed === 1);
  if (first !== undefined) return rows.filter(({ created_at }) => created_at < first.created_at);
  const last = rows.at(-1);
  if (!cut || last === undefined || rows[0]?.created_at === last.created_at) return rows;
  return rows.filter(({ created_at }) => created_at < last.created_at);
}

/** Where each partition begins once `rows` are gone. */
function startsAfter(rows: readonly OldRow[]): Map<number, number> {
  const starts = new Map<number, number>();
  for (const { partition, ends } of rows) {
    if (ends !== null) starts.set(partition, Math.max(ends, starts.get(partition) ?? 0));
  }
  return starts;
}
