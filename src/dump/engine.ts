/**
 * The dump engine: keeps every dump task of the node going. It ties the scheduler (when to cut), the runner (writing
 * files) and the committer (positions) together. The use cases beside it change tasks through `change` and tell it what
 * has changed; see task-state.ts for the states of a task and ARCHITECTURE.md for why each record is in one file.
 */
import { failOpenPlans } from '../catalog/dump-log.ts';
import { markTaskDeleted } from '../catalog/dump-tasks.ts';
import { Committer, type DumpTotals } from './cuts/committer.ts';
import type { DumpParts } from './dump-config.ts';
import { ExpiryWatch, type ExpiryNumbers } from './tasks/expiry-watch.ts';
import { Lane } from '../platform/lane.ts';
import type { Stream } from '../model/stream.ts';
import { checkFollowers, followForms } from './settings/follow-form.ts';
import { loadTasks } from './tasks/load-tasks.ts';
import { PeriodKeeper } from './periods/period-keeper.ts';
import { Redriver } from './redrive/redriver.ts';
import { Runner } from './runner.ts';
import { Scheduler } from './scheduler.ts';
import type { TaskState } from './tasks/task-state.ts';
import { TaskTable, type DumpTask } from './tasks/task-table.ts';

export interface DumpActivity {
  /** Pairs are being looked at or planned, or a change of a task is under way. */
  readonly planning: boolean;
  /** Planned cuts that wait for an upload slot. */
  readonly queued: number;
  readonly uploading: number;
  /** Outcomes on their way into the catalog. */
  readonly committing: number;
}

export class DumpEngine {
  readonly #parts: DumpParts;
  readonly #tasks = new TaskTable();
  readonly #lane = new Lane();
  readonly #runner: Runner;
  readonly #committer: Committer;
  readonly #scheduler: Scheduler;
  readonly #expiryWatch: ExpiryWatch;
  readonly #periodKeeper: PeriodKeeper;
  readonly #redriver: Redriver;

  constructor(parts: DumpParts) {
    this.#parts = parts;
    const shared = { parts, tasks: this.#tasks, lane: this.#lane };
    this.#runner = new Runner(parts, (outcome) => this.#committer.add(outcome));
    this.#committer = new Committer({
      ...shared,
      onEnded: (pairs) => this.#scheduler.look(pairs),
      onOrphan: (plan, cut) => this.#runner.discard(plan, cut),
    });
    this.#scheduler = new Scheduler({ ...shared, runner: this.#runner });
    this.#expiryWatch = new ExpiryWatch(shared);
    this.#periodKeeper = new PeriodKeeper(shared);
    this.#redriver = new Redriver({ ...shared, totals: this.#committer.totals });
  }

  /**
   * Takes up every task where it was left, planned files first. Tasks of streams that are gone, and deletions that a
   * crash cut short, are brought to their end.
   */
  async start(): Promise<void> {
    const { tasks, unfinishedDeletes } = await loadTasks(this.#parts.catalog);
    for (const taskId of unfinishedDeletes) await this.#writeEnd(taskId);
    for (const task of tasks) {
      if (this.#parts.streams.byNumber(task.stream) !== undefined) this.#tasks.add(task);
      else {
        await this.#writeEnd(task.id);
        // What a crash kept the deletion of the stream from removing.
        this.#runner.abandon(task);
      }
    }
    await this.#redriver.start();
    this.#scheduler.start();
    this.#expiryWatch.start();
    this.#periodKeeper.start();
  }

  /**
   * Lets running uploads finish and be committed for up to `limitMs`, then aborts them. What is not committed stays
   * planned and is done after the next start.
   */
  async close(limitMs: number): Promise<void> {
    await this.#expiryWatch.close();
    await this.#scheduler.close();
    const limit = this.#parts.clock.after(limitMs, () => {
      this.#runner.abortAll();
      this.#periodKeeper.abortAll();
      this.#redriver.abortAll();
    });
    await Promise.all([this.#runner.drain(), this.#periodKeeper.close(), this.#redriver.close()]);
    limit.cancel();
    await this.#committer.close();
    // The last outcomes may have been of tasks that are gone.
    await this.#runner.cleaned();
  }

  /** What is going on at the moment. */
  get activity(): DumpActivity {
    return {
      planning: this.#scheduler.busy || this.#expiryWatch.busy || this.#periodKeeper.looking || this.#lane.jobs > 0,
      queued: this.#runner.queued,
      uploading: this.#runner.running + this.#periodKeeper.working + this.#redriver.working,
      committing: this.#committer.committing + this.#runner.cleaning,
    };
  }

  /** What writes a cut: a verification makes files again with it. */
  get parts(): DumpParts {
    return this.#parts;
  }

  /** Of undelivered records that nobody holds. */
  get expiry(): ExpiryNumbers {
    return this.#expiryWatch.numbers;
  }

  /** Tasks and backfills by state. */
  get tasksByState(): ReadonlyMap<TaskState, number> {
    const counts = new Map<TaskState, number>();
    for (const { state } of this.#tasks.all()) counts.set(state, (counts.get(state) ?? 0) + 1);
    return counts;
  }

  /** Where the records begin that tasks of a stream ask to be kept until they are delivered, by partition. */
  holdsOf(stream: number): ReadonlyMap<number, number> {
    const holds = new Map<number, number>();
    for (const task of this.#tasks.all()) {
      if (task.stream !== stream || !task.settings.holdRetention) continue;
      for (const { ref, position, end } of task.pairs) {
        if (end !== null && position >= end) continue;
        holds.set(ref.partition, Math.min(holds.get(ref.partition) ?? Infinity, position));
      }
    }
    return holds;
  }

  get totals(): Readonly<DumpTotals> {
    return this.#committer.totals;
  }

  /** Runs a change of tasks when no other one is under way; nothing is planned or committed meanwhile. */
  change<T>(job: () => Promise<T>): Promise<T> {
    return this.#lane.run(job);
  }

  /** A live task. What it says is true until the end of the current change. */
  task(taskId: string): DumpTask | undefined {
    return this.#tasks.get(taskId);
  }

  /** The backfills of a task that are not deleted, finished ones too. */
  backfillsOf(taskId: string): DumpTask[] {
    return [...this.#tasks.all()].filter(({ parentId }) => parentId === taskId);
  }

  /** Within a change, after its transaction: a task was created. */
  added(task: DumpTask): void {
    this.#tasks.add(task);
    this.#scheduler.tick();
  }

  /** Within a change, after its transaction: a task was started, or has new settings. */
  changed(task: DumpTask): void {
    for (const pair of task.pairs) pair.measured = { to: pair.position, bytes: 0 };
    this.#scheduler.tick();
    this.#redriver.look(task.id);
  }

  /** Redrives of a task were planned, or may have been. */
  redrivesPlanned(taskId: string): void {
    this.#redriver.look(taskId);
  }

  /** Within a change, after its transaction: a task was stopped. */
  stopped(task: DumpTask): void {
    this.#runner.withdraw(task);
  }

  /** Within a change: deletes a task in the catalog and stops its work. Its files and its log stay. */
  async end(taskId: string): Promise<void> {
    await this.#writeEnd(taskId);
    const task = this.#tasks.get(taskId);
    if (task === undefined) return;
    task.state = 'DELETE';
    this.#tasks.remove(task);
    this.#runner.abandon(task);
    this.#periodKeeper.abandon(task.id);
    this.#redriver.abandon(task.id);
  }

  /** Ends the tasks of a stream that is being deleted; resolves when no more of them is planned or committed. */
  async endTasksOfStream(stream: number): Promise<void> {
    await this.change(async () => {
      const ids = [...this.#tasks.all()].filter((task) => task.stream === stream).map(({ id }) => id);
      for (const id of ids) await this.end(id);
    });
  }

  /** Throws InvalidBody or InvalidSchema when a task could not deliver the records of a stream that becomes `next`. */
  checkStreamUpdate(next: Stream): void {
    checkFollowers(this.#tasks.all(), next);
  }

  /** Resolves when what is planned from now on has the form that streams give their records by now. Never rejects. */
  async followStreams(): Promise<void> {
    try {
      await this.change(() => followForms(this.#parts, this.#tasks.all()));
    } catch (error) {
      this.#parts.logger.error({ err: error }, 'dump tasks follow their stream at the next look');
    }
  }

  async #writeEnd(taskId: string): Promise<void> {
    const now = this.#parts.clock.now();
    await this.#parts.catalog.db.transaction().execute(async (transaction) => {
      await markTaskDeleted(transaction, taskId, 'DELETE', now);
      await failOpenPlans(transaction, taskId, 'task deleted', now);
    });
  }
}
