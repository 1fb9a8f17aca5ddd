/**
 * Keeps the stretches of time that directories stand for. Every few seconds it looks for periods that have come to an end,
 * and whose records that arrived in time are all delivered; then, in this order and each only if the task asks for it:
 *
 *   merge      files of the period are planned to become one (merge/), and the period is complete
 *   manifest   once no merge of the period is open any more, its files are told (manifests/)
 *   addendum   files that come later are told by further manifests, collected for one deliver interval each
 *
 * All of it is durable before it is done: merges as rows of dump_log in state 2, manifests as rows of dump_manifests that
 * are not stored. What a crash interrupts is taken up by whoever holds the lease of the task next. Of a task that is stopped
 * nothing is done.
 */
import type { Kysely } from 'kysely';
import { selectUnstoredManifests } from '../../catalog/dump-manifests.ts';
import { hasOpenMerge, selectOpenMerges } from '../../catalog/dump-merges.ts';
import {
  completePeriod,
  completePeriods,
  selectFirstOpenEnds,
  selectLatePeriods,
  selectOpenPeriods,
  selectPeriod,
  setPeriodMerged,
} from '../../catalog/dump-periods.ts';
import type { Database } from '../../catalog/schema.ts';
import type { Lane } from '../../platform/lane.ts';
import { repeat, type Repetition } from '../../platform/repeat.ts';
import type { DumpParts } from '../dump-config.ts';
import { ManifestWriter } from '../manifests/manifest-writer.ts';
import { planManifest } from '../manifests/plan-manifest.ts';
import { Merger } from '../merge/merger.ts';
import { loadSettings, mergeGroups, writeMergePlans } from '../merge/plan-merges.ts';
import { removal } from '../merge/superseded-remover.ts';
import { taskLease } from '../tasks/lease-names.ts';
import type { DumpTask, TaskTable } from '../tasks/task-table.ts';
import { ownTaskTransaction } from '../tasks/task-transaction.ts';
import { deliveredUntil } from './delivered-until.ts';
import { JobQueue } from '../job-queue.ts';
import { LOOK_MS, mayPlan } from './period-rules.ts';

export interface PeriodKeeperOptions {
  readonly parts: DumpParts;
  readonly tasks: TaskTable;
  readonly lane: Lane;
}

/** Files are read and written by a merge as fast as the store lets it: live files go first. */
const MERGES_AT_A_TIME = 2;
const MANIFESTS_AT_A_TIME = 2;
const PERIODS_PER_PAGE = 100;

export class PeriodKeeper {
  readonly #options: PeriodKeeperOptions;
  readonly #merges: JobQueue;
  readonly #manifests: JobQueue;
  readonly #removals: JobQueue;
  readonly #merger: Merger;
  readonly #manifestWriter: ManifestWriter;
  #looks: Repetition | undefined;
  #looking = false;
  /** Whether everything that is planned is in the queues. */
  #loaded = false;
  #closed = false;

  constructor(options: PeriodKeeperOptions) {
    this.#options = options;
    const { parts, tasks } = options;
    this.#merges = new JobQueue(parts.clock, MERGES_AT_A_TIME);
    this.#manifests = new JobQueue(parts.clock, MANIFESTS_AT_A_TIME);
    this.#removals = new JobQueue(parts.clock, 1);
    this.#manifestWriter = new ManifestWriter({ parts, tasks });
    this.#merger = new Merger({
      ...options,
      onEnding: (transaction, task, period) => this.#settle(transaction, task, period, true),
      onEnded: async (task, period, planned) => {
        this.#queueMerges(task.id, planned);
        await this.#queueManifests(task.id, period);
        this.#removals.add(removal(parts));
      },
      onUncertain: () => (this.#loaded = false),
    });
  }

  /** Looks now, and from then on by itself. */
  start(): void {
    const { clock, logger } = this.#options.parts;
    this.#looks = repeat(
      clock,
      LOOK_MS,
      () => this.#look(),
      (error) => logger.error({ err: error }, 'periods not looked at'),
    );
  }

  /** True while periods are looked at and merges and manifests planned. */
  get looking(): boolean {
    return this.#looking;
  }

  /** Files being merged, manifests being stored and removals under way. */
  get working(): number {
    return this.#merges.working + this.#manifests.working + this.#removals.working;
  }

  /** Lets no further work begin; resolves once none is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    // The queues first: what a look that is under way still plans is for the next start.
    const drained = [this.#merges, this.#manifests, this.#removals].map((queue) => queue.drain());
    await Promise.all([this.#looks?.close(), ...drained]);
  }

  /** Aborts what is under way; it stays planned. */
  abortAll(): void {
    for (const queue of [this.#merges, this.#manifests, this.#removals]) queue.abortAll();
  }

  /** The work for a task is this node's now. */
  take(): void {
    this.#loaded = false;
  }

  /** The work for a task is not this node's any more; it stays planned. */
  leave(taskId: string): void {
    this.#manifests.drop(taskId);
    this.#merges.drop(taskId);
  }

  /** Ends the work for a task that was deleted. */
  abandon(taskId: string): void {
    this.#manifests.drop(taskId);
    this.#merges.drop(taskId, (signal) => this.#merger.discard(taskId, signal));
  }

  async #look(): Promise<void> {
    this.#looking = true;
    try {
      if (!this.#loaded) await this.#load();
      await this.#completePeriods();
      await this.#tellLateFiles();
    } finally {
      for (const queue of [this.#merges, this.#manifests, this.#removals]) queue.wake();
      this.#looking = false;
    }
  }

  /** Takes up what is planned. */
  async #load(): Promise<void> {
    const { parts } = this.#options;
    const { db } = parts.catalog;
    this.#loaded = true;
    try {
      for (const { id, task_id } of await selectOpenMerges(db))
        if (this.#isOwn(task_id)) this.#queueMerges(task_id, [id]);
      for (const key of await selectUnstoredManifests(db)) {
        if (this.#isOwn(key.task_id)) this.#manifests.add(this.#manifestWriter.job(key));
      }
      this.#removals.add(removal(parts));
    } catch (error) {
      this.#loaded = false;
      throw error;
    }
  }

  async #completePeriods(): Promise<void> {
    const { parts, lane } = this.#options;
    for (const { task_id, ends_at } of await selectFirstOpenEnds(parts.catalog.reader)) {
      await this.#ofTask(task_id, async (task) => {
        const lateness = task.settings.latenessSeconds * 1000;
        if (ends_at + lateness > parts.clock.now()) return;
        // In the lane: a plan that is on its way into the catalog has its time already, and memory does not know it yet.
        const until = (await lane.run(() => deliveredUntil(parts, task))) - lateness;
        if (ends_at <= until) await this.#completeUntil(task, until);
      });
    }
  }

  /** Completes the periods of a task that end at or before `until` (ms). */
  async #completeUntil(task: DumpTask, until: number): Promise<void> {
    const { catalog, clock } = this.#options.parts;
    const { mergeMegabytes, manifest } = task.settings;
    if (mergeMegabytes === undefined && !manifest) {
      // Merges that older settings have planned mark their periods themselves.
      await this.#change(task, (transaction) => completePeriods(transaction, task.id, until, clock.now()));
      return;
    }
    const periods = await selectOpenPeriods(catalog.db, task.id, until, PERIODS_PER_PAGE);
    for (const { period } of periods) {
      if (this.#closed || !mayPlan(task)) return;
      if (mergeMegabytes !== undefined) await this.#planMerges(task, period, mergeMegabytes);
      await this.#change(task, async (transaction) => {
        if (!(await completePeriod(transaction, task.id, period, clock.now()))) return;
        await this.#settle(transaction, task, period, mergeMegabytes !== undefined);
      });
      await this.#queueManifests(task.id, period);
    }
  }

  async #planMerges(task: DumpTask, period: number, megabytes: number): Promise<void> {
    const { catalog, clock } = this.#options.parts;
    const settingsOf = await loadSettings(catalog.db, task.id);
    for await (const groups of mergeGroups(catalog.db, { taskId: task.id, period, megabytes, settingsOf })) {
      let ids: readonly number[] = [];
      await this.#change(task, async (transaction) => {
        const planning = { owner: task, period, now: clock.now(), settingsOf };
        ids = await writeMergePlans(transaction, planning, groups);
      });
      this.#queueMerges(task.id, ids);
    }
  }

  /**
   * Once a period is complete and none of its merges is open: says that it is merged, and plans a manifest of what none
   * lists yet. That is an addendum for a period that was complete before it became a longer one.
   */
  async #settle(transaction: Kysely<Database>, task: DumpTask, period: number, merges: boolean): Promise<void> {
    if (await hasOpenMerge(transaction, task.id, period)) return;
    const row = await selectPeriod(transaction, task.id, period);
    if (row === undefined || row.completed_at === null) return;
    const now = this.#options.parts.clock.now();
    if (merges) await setPeriodMerged(transaction, task.id, period, now);
    if (task.settings.manifest) await planManifest(transaction, task.id, period, now);
  }

  async #tellLateFiles(): Promise<void> {
    const { parts } = this.#options;
    const now = parts.clock.now();
    for (const { task_id, period, late_since } of await selectLatePeriods(parts.catalog.reader, now)) {
      await this.#ofTask(task_id, async (task) => {
        if (!task.settings.manifest || (late_since ?? now) + task.settings.deliverSeconds * 1000 > now) return;
        await this.#change(task, (transaction) => this.#settle(transaction, task, period, false));
        await this.#queueManifests(task_id, period);
      });
    }
  }

  /** Does something for a task for which things may be planned. What goes wrong with one does not hold up the others. */
  async #ofTask(taskId: string, run: (task: DumpTask) => Promise<void>): Promise<void> {
    const { parts, tasks } = this.#options;
    const task = tasks.get(taskId);
    if (task === undefined || !mayPlan(task) || !this.#isOwn(taskId)) return;
    try {
      await run(task);
    } catch (error) {
      parts.logger.error({ err: error, task: taskId }, 'periods of a task not looked at');
    }
  }

  #isOwn(taskId: string): boolean {
    return this.#options.parts.cluster.leases.held(taskLease(taskId)) !== undefined;
  }

  #queueMerges(taskId: string, ids: readonly number[]): void {
    for (const id of ids) this.#merges.add(this.#merger.job(id, taskId));
  }

  async #queueManifests(taskId: string, period: number): Promise<void> {
    const keys = await selectUnstoredManifests(this.#options.parts.catalog.db, { taskId, period });
    for (const key of keys) this.#manifests.add(this.#manifestWriter.job(key));
  }

  /** Runs a transaction in the lane, unless the task may have nothing planned any more, or is another node's. */
  async #change(task: DumpTask, run: (transaction: Kysely<Database>) => Promise<void>): Promise<void> {
    const { parts, tasks, lane } = this.#options;
    try {
      await lane.run(async () => {
        if (!tasks.has(task) || !mayPlan(task)) return;
        await ownTaskTransaction(parts, task.id, run);
      });
    } catch (error) {
      this.#loaded = false;
      throw error;
    }
  }
}
