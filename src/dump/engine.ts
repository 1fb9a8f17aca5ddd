/**
 * The dump engine: keeps the dump tasks going, as far as this node holds their leases. It ties the scheduler (when to cut),
 * the runner (writing files) and the committer (positions) together. The use cases beside it change tasks through `change`
 * and tell it what has changed; see task-state.ts for the states of a task and ARCHITECTURE.md for why each record is in
 * one file.
 */
import type { Kysely } from 'kysely';
import { failOpenPlans } from '../catalog/dump-log.ts';
import { selectPositions } from '../catalog/dump-positions.ts';
import { markTaskDeleted } from '../catalog/dump-tasks.ts';
import type { Database } from '../catalog/schema.ts';
import type { Announced } from '../cluster/cluster.ts';
import { Committer, type DumpTotals } from './cuts/committer.ts';
import type { DumpParts } from './dump-config.ts';
import { ExpiryWatch, type ExpiryNumbers } from './tasks/expiry-watch.ts';
import { CatchUp } from '../platform/catch-up.ts';
import { Lane } from '../platform/lane.ts';
import type { Stream } from '../model/stream.ts';
import { checkFollowers, followForms } from './settings/follow-form.ts';
import { followTasks } from './tasks/follow-tasks.ts';
import { HeldLeases } from './tasks/held-leases.ts';
import { leasesOfTask } from './tasks/lease-names.ts';
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
  /** Brings memory to what the catalog says of tasks, by id. */
  readonly memory: CatchUp<string>;
  readonly #parts: DumpParts;
  readonly #tasks = new TaskTable();
  readonly #lane = new Lane();
  readonly #leases: HeldLeases;
  readonly #runner: Runner;
  readonly #committer: Committer;
  readonly #scheduler: Scheduler;
  readonly #expiryWatch: ExpiryWatch;
  readonly #periodKeeper: PeriodKeeper;
  readonly #redriver: Redriver;
  /** The last of what the current change has announced. */
  #announced: Announced | undefined;
  #closed = false;

  constructor(parts: DumpParts) {
    this.#parts = parts;
    const { clock, logger } = parts;
    const shared = { parts, tasks: this.#tasks, lane: this.#lane };
    this.#runner = new Runner(parts, (outcome) => this.#committer.add(outcome));
    this.#leases = new HeldLeases({
      ...shared,
      runner: this.#runner,
      onPairs: (pairs) => this.#scheduler.look(pairs),
      onTask: (taskId, held) => this.#taskHeld(taskId, held),
    });
    this.#committer = new Committer({
      ...shared,
      onEnded: (pairs) => {
        this.#leases.release();
        this.#scheduler.look(pairs);
      },
      onOrphan: (plan, cut) => this.#runner.discard(plan, cut),
    });
    const isWanted = (lease: string) => this.#leases.isWanted(lease);
    this.#scheduler = new Scheduler({ ...shared, runner: this.#runner, isWanted });
    this.#expiryWatch = new ExpiryWatch(shared);
    this.#periodKeeper = new PeriodKeeper(shared);
    this.#redriver = new Redriver({
      ...shared,
      totals: this.#committer.totals,
      follow: (taskId) => this.#follow([taskId]),
    });
    this.memory = new CatchUp({
      clock,
      read: (taskIds) => this.#lane.run(() => this.#follow(taskIds)),
      onError: (error) => logger.error({ err: error }, 'a dump task that changed could not be read'),
    });
  }

  /**
   * Takes up every task where it was left, planned files first. Tasks of streams that are gone, and deletions that a
   * crash cut short, are brought to their end.
   */
  async start(): Promise<void> {
    const { catalog, cluster, streams } = this.#parts;
    const { tasks, unfinishedDeletes } = await loadTasks(catalog);
    for (const taskId of unfinishedDeletes) await this.#writeEnd(taskId);
    for (const task of tasks) {
      if (streams.byNumber(task.stream) !== undefined) {
        for (const pair of task.pairs) pair.uncertain = cluster.leases.held(pair.lease) === undefined;
        this.#tasks.add(task);
      } else {
        await this.#writeEnd(task.id);
        // What a crash kept the deletion of the stream from removing.
        this.#runner.abandon(task);
      }
    }
    // Those of a catalog that has had one node so far.
    const names = [...this.#tasks.all()].flatMap(({ id, pairs }) =>
      leasesOfTask(
        id,
        pairs.map(({ ref }) => ref.partition),
      ),
    );
    await catalog.db.transaction().execute((transaction) => cluster.leases.add(transaction, names));
    await this.#redriver.start();
    this.#scheduler.start();
    this.#expiryWatch.start();
    this.#periodKeeper.start();
    cluster.leases.watch(this.#leases);
  }

  /**
   * Lets running uploads finish and be committed for up to `limitMs`, then aborts them. What is not committed stays
   * planned and is done after the next start.
   */
  async close(limitMs: number): Promise<void> {
    this.#closed = true;
    this.memory.close();
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

  /**
   * Where the records begin that tasks of a stream ask to be kept until they are delivered, by partition, wherever they are
   * worked on.
   */
  async holdsOf(stream: number): Promise<ReadonlyMap<number, number>> {
    const holders = [...this.#tasks.all()].filter(
      (task) => task.stream === stream && task.settings.holdRetention && task.state !== 'FINISHED',
    );
    const ids = holders.map(({ id }) => id);
    const holds = new Map<number, number>();
    for (const { partition, position, end_position } of await selectPositions(this.#parts.catalog.db, ids)) {
      if (end_position !== null && position >= end_position) continue;
      holds.set(partition, Math.min(holds.get(partition) ?? Infinity, position));
    }
    return holds;
  }

  get totals(): Readonly<DumpTotals> {
    return this.#committer.totals;
  }

  /**
   * Runs a change of tasks when no other one is under way on any node; nothing is planned or committed here meanwhile.
   * Resolves when every node has taken in what the job has announced.
   */
  change<T>(job: () => Promise<T>): Promise<T> {
    const { cluster } = this.#parts;
    return cluster.exclusive('dump tasks', async () => {
      this.#announced = undefined;
      const result = await this.#lane.run(job);
      if (this.#announced !== undefined) await cluster.settled(this.#announced);
      return result;
    });
  }

  /** Within a change, at the end of a transaction of it: the catalog says something else of a task now. */
  async announce(transaction: Kysely<Database>, taskId: string): Promise<void> {
    this.#announced = await this.#parts.cluster.announceIn(transaction, { kind: 'task', key: taskId });
  }

  /** Runs a job while this node plans and commits nothing. */
  quietly<T>(job: () => Promise<T>): Promise<T> {
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
    // Whoever holds the leases may have begun already.
    for (const pair of task.pairs) pair.uncertain = true;
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
    await this.#writeEnd(taskId, (transaction) => this.announce(transaction, taskId));
    const task = this.#tasks.get(taskId);
    if (task === undefined) return;
    task.state = 'DELETE';
    this.#tasks.remove(task);
    this.#forget(task);
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
      await this.change(() =>
        followForms(this.#parts, [...this.#tasks.all()], (transaction, id) => this.announce(transaction, id)),
      );
    } catch (error) {
      this.#parts.logger.error({ err: error }, 'dump tasks follow their stream at the next look');
    }
  }

  async #writeEnd(taskId: string, also?: (transaction: Kysely<Database>) => Promise<void>): Promise<void> {
    const { catalog, cluster, clock } = this.#parts;
    const now = clock.now();
    await catalog.db.transaction().execute(async (transaction) => {
      await markTaskDeleted(transaction, taskId, 'DELETE', now);
      await failOpenPlans(transaction, taskId, 'task deleted', now);
      const positions = await selectPositions(transaction, [taskId]);
      const partitions = positions.map(({ partition }) => partition);
      await cluster.leases.remove(transaction, leasesOfTask(taskId, partitions));
      await also?.(transaction);
    });
  }

  /** Ends the work for a task that was deleted. */
  #forget(task: DumpTask): void {
    this.#runner.abandon(task);
    this.#periodKeeper.abandon(task.id);
    this.#redriver.abandon(task.id);
  }

  /** Runs in the lane. */
  async #follow(taskIds: readonly string[] | 'all'): Promise<void> {
    if (this.#closed) return;
    const { gone, renewed, stopped } = await followTasks(this.#parts, this.#tasks, taskIds);
    for (const task of gone) this.#forget(task);
    for (const task of stopped) this.stopped(task);
    for (const task of renewed) this.changed(task);
    // Redrives may have been planned, by which nothing else changes.
    for (const id of taskIds === 'all' ? Array.from(this.#tasks.all(), (task) => task.id) : taskIds)
      this.#redriver.look(id);
  }

  #taskHeld(taskId: string, held: boolean): void {
    if (held) {
      this.#periodKeeper.take();
      this.#redriver.look(taskId);
    } else {
      this.#periodKeeper.leave(taskId);
      this.#redriver.leave(taskId);
    }
  }
}
