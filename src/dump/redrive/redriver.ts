/**
 * Carries out planned redrives, for each task one after the other. What a redrive comes to is written down in one
 * transaction:
 *
 *   delivered  its row goes to state 0 with its files, and with dead letters again for what still fails; what is in files
 *              now is taken out of `discarded`
 *   failed     a row of its own in state 1; the plan stays and is tried again with backoff
 *   given up   `retry_duration` is over: its row goes to state 1, and the next redrive may take the letters
 *
 * The object with the dead letters stays as it is: it proves what has become of its records. A stopped task redrives
 * nothing until it is started. What a crash interrupts is taken up at the next start.
 */
import type { Kysely } from 'kysely';
import { selectFailures } from '../../catalog/dump-log.ts';
import {
  selectEndedRedrives,
  selectOpenRedrives,
  selectRedrivenTasks,
  type OpenRedrive,
} from '../../catalog/dump-redrives.ts';
import { selectColumns } from '../../catalog/dump-schemas.ts';
import type { Database } from '../../catalog/schema.ts';
import type { Lane } from '../../platform/lane.ts';
import { repeat, type Repetition } from '../../platform/repeat.ts';
import { retryDelay } from '../backoff.ts';
import type { DumpTotals } from '../cuts/committer.ts';
import type { CutToWrite, WrittenCut } from '../cuts/cut.ts';
import type { DumpParts } from '../dump-config.ts';
import { learnColumns } from '../cuts/learn-columns.ts';
import { baseOf } from '../cuts/object-name.ts';
import { JobQueue, type Job } from '../job-queue.ts';
import { isResting } from '../periods/period-rules.ts';
import { removeObjectsOfCut } from '../cuts/remove-objects.ts';
import { parseStoredSettings } from '../settings/settings.ts';
import { taskLease } from '../tasks/lease-names.ts';
import { workOf, type DumpTask, type Pair, type TaskTable } from '../tasks/task-table.ts';
import { ownTaskTransaction, type Granted } from '../tasks/task-transaction.ts';
import { statusesOf, writeStatuses } from '../tasks/task-work.ts';
import { FailedAttempt, writeCut } from '../cuts/write-cut.ts';
import { DeadLetterSource } from './dead-letter-source.ts';
import { deliveredRecords, writeDelivered, writeFailed, writeGivenUp } from './redrive-outcomes.ts';

export interface RedriverOptions {
  readonly parts: DumpParts;
  readonly tasks: TaskTable;
  readonly lane: Lane;
  /** Counts what redrives deliver too. */
  readonly totals: DumpTotals;
  /** Makes memory say of a task what the catalog says. Called in the lane. */
  readonly follow: (taskId: string) => Promise<void>;
}

/** A redrive that is being tried. */
interface Attempt {
  readonly task: DumpTask;
  readonly pair: Pair;
  readonly open: OpenRedrive;
  readonly cut: CutToWrite;
  /** In ms. */
  readonly startedAt: number;
}

/** Tasks that redrive at a time: live files go first. */
const TASKS_AT_A_TIME = 2;
/** Pause between two looks at what has waited long enough, and after an error of the catalog. */
const LOOK_MS = 1000;
const PAGE_ROWS = 100;

export class Redriver {
  readonly #options: RedriverOptions;
  readonly #queue: JobQueue;
  /** Planned redrives that have failed, and when each is tried again, on the clock's monotonic scale. */
  readonly #failing = new Map<number, number>();
  /** Pairs of which a transaction may have changed more than memory has. */
  readonly #uncertain = new Set<Pair>();
  #looks: Repetition | undefined;

  constructor(options: RedriverOptions) {
    this.#options = options;
    this.#queue = new JobQueue(options.parts.clock, TASKS_AT_A_TIME);
  }

  /** Takes up what is planned. */
  async start(): Promise<void> {
    const { catalog, clock, logger } = this.#options.parts;
    for (const taskId of await selectRedrivenTasks(catalog.db)) this.look(taskId);
    this.#looks = repeat(
      clock,
      LOOK_MS,
      async () => this.#queue.wake(),
      (error) => logger.error({ err: error }, 'redrives not looked at'),
    );
  }

  /** Redrives that are being written or written down, and removals under way. */
  get working(): number {
    return this.#queue.working;
  }

  /** Takes up what is planned for a task. */
  look(taskId: string): void {
    this.#queue.add(this.#job(taskId));
    this.#queue.wake();
  }

  /** The redrives of a task are not this node's any more; they stay planned. */
  leave(taskId: string): void {
    this.#queue.drop(taskId);
  }

  /** Ends the redrives of a task that was deleted, and removes what they have stored as far as the store lets it. */
  abandon(taskId: string): void {
    this.#queue.drop(taskId, (signal) => this.#discard(taskId, signal));
  }

  /** Lets no further redrive begin; resolves once none is under way. */
  async close(): Promise<void> {
    await Promise.all([this.#looks?.close(), this.#queue.drain()]);
  }

  /** Aborts what is under way; it stays planned. */
  abortAll(): void {
    this.#queue.abortAll();
  }

  #job(taskId: string): Job {
    return {
      key: taskId,
      taskId,
      run: (signal) => this.#run(taskId, signal),
    };
  }

  /** See Job.run. */
  async #run(taskId: string, signal: AbortSignal): Promise<number | undefined> {
    const { parts, tasks } = this.#options;
    try {
      const task = tasks.get(taskId);
      if (task === undefined || !this.#isOwn(taskId)) return undefined;
      if (isResting(task)) return LOOK_MS;
      await this.#refresh();
      const next = await this.#next(taskId);
      if (next === undefined || typeof next === 'number') return next;
      await this.#redrive(task, next, signal);
      return 0;
    } catch (error) {
      if (signal.aborted) return undefined;
      parts.logger.error({ err: error, task: taskId }, 'redrive not written down');
      return LOOK_MS;
    }
  }

  /** The first planned redrive whose time has come, or the milliseconds until there is one. */
  async #next(taskId: string): Promise<OpenRedrive | number | undefined> {
    const { catalog, clock } = this.#options.parts;
    let wait: number | undefined;
    for (let after = 0; ;) {
      const page = await selectOpenRedrives(catalog.db, taskId, after, PAGE_ROWS);
      for (const open of page) {
        after = open.row.id;
        const left = (this.#failing.get(after) ?? 0) - clock.monotonic();
        if (left <= 0) return open;
        // Looked for again soon: more may be planned by then.
        wait = Math.min(wait ?? LOOK_MS, left);
      }
      if (page.length < PAGE_ROWS) return wait;
    }
  }

  async #redrive(task: DumpTask, open: OpenRedrive, signal: AbortSignal): Promise<void> {
    const { parts } = this.#options;
    const pair = task.pairs.find(({ ref }) => ref.partition === open.row.partition);
    if (pair === undefined) throw new Error(`task ${task.id} has no position in partition ${open.row.partition}`);
    const attempt = { task, pair, open, cut: await this.#toWrite(open), startedAt: parts.clock.now() };
    let written: WrittenCut;
    try {
      written = whole(await writeCut(parts, attempt.cut, signal), open);
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = error instanceof FailedAttempt ? error : new FailedAttempt(0, error);
      return this.#failed(attempt, failure);
    }
    await this.#delivered(attempt, written);
  }

  async #toWrite({ row, settings, source }: OpenRedrive): Promise<CutToWrite> {
    const { catalog, objects } = this.#options.parts;
    const { task_id, schema_revision } = row;
    return {
      source: new DeadLetterSource(objects, source),
      partition: row.partition,
      first: row.first_sequence,
      next: row.next_sequence,
      createdAt: row.created_at,
      baseName: baseOf(row.file_name),
      bucket: row.bucket,
      settings: parseStoredSettings(settings),
      columns: schema_revision === 0 ? undefined : await selectColumns(catalog.db, task_id, schema_revision),
      whole: true,
    };
  }

  async #delivered({ task, pair, open: { row } }: Attempt, written: WrittenCut): Promise<void> {
    const { parts, totals } = this.#options;
    const records = deliveredRecords(written);
    let { schemaRevision } = task;
    const done = await this.#write(pair, async (transaction, { tasks }) => {
      const now = parts.clock.now();
      if (!(await writeDelivered(transaction, row, written, now))) return false;
      if (written.columns !== undefined) {
        schemaRevision = await learnColumns(transaction, task.id, written.columns, now);
      }
      if (records > 0) {
        const statuses = await statusesOf(transaction, [task], tasks, {
          workAfter: (other) => (other === pair ? { ...workOf(pair), allDead: false } : workOf(other)),
        });
        await writeStatuses(transaction, parts.cluster, statuses, tasks);
        // Whoever works on the partition has its numbers in memory.
        await parts.cluster.announceIn(transaction, { kind: 'task', key: task.id });
      }
      return true;
    });
    this.#failing.delete(row.id);
    if (!done) return;
    task.schemaRevision = Math.max(task.schemaRevision, schemaRevision);
    totals.files += written.files.length;
    totals.records += records;
    for (const { bytes } of written.files) totals.bytes += bytes;
  }

  async #failed(attempt: Attempt, failure: FailedAttempt): Promise<void> {
    const { row } = attempt.open;
    const { catalog, clock, random, config, objects } = this.#options.parts;
    const now = clock.now();
    const delay = retryDelay(row.attempt, config.backoff, random.fraction());
    const { retrySeconds } = attempt.cut.settings;
    if (retrySeconds === undefined) return this.#retry(attempt, failure, delay);
    const since = row.attempt > 1 ? (await selectFailures(catalog.db, row))?.firstAt : undefined;
    const left = (since ?? now) + retrySeconds * 1000 - now;
    if (left > 0) return this.#retry(attempt, failure, Math.min(delay, left));
    try {
      await removeObjectsOfCut(objects, attempt.cut, { isOurs: () => this.#isOwn(row.task_id) });
    } catch (error) {
      // The letters are not free for another redrive while an object may hold them.
      return this.#retry(attempt, new FailedAttempt(failure.recordsRead, error), delay);
    }
    await this.#write(attempt.pair, (transaction) => writeGivenUp(transaction, row, failure, now));
    this.#failing.delete(row.id);
  }

  /** Writes the attempt down; the redrive stays planned, and is tried again after `delay` ms. */
  async #retry({ open: { row }, pair, startedAt }: Attempt, failure: FailedAttempt, delay: number): Promise<void> {
    const { clock } = this.#options.parts;
    const times = { startedAt, now: clock.now() };
    await this.#write(pair, (transaction) => writeFailed(transaction, row, failure, times));
    this.#options.totals.failedAttempts += 1;
    this.#failing.set(row.id, clock.monotonic() + delay);
  }

  /**
   * Runs a transaction in the lane, and memory follows; false, without it, when the task was deleted meanwhile or is another
   * node's by now, and when the catalog has moved on without it.
   */
  #write(pair: Pair, run: (transaction: Kysely<Database>, granted: Granted) => Promise<boolean>): Promise<boolean> {
    const { parts, tasks, lane } = this.#options;
    return lane.run(async () => {
      if (!tasks.has(pair.task)) return false;
      // If it fails nobody knows whether it happened: then memory follows at the next look.
      this.#uncertain.add(pair);
      const done = await ownTaskTransaction(parts, pair.task.id, run);
      await this.#follow(pair);
      return done?.value === true;
    });
  }

  #isOwn(taskId: string): boolean {
    return this.#options.parts.cluster.leases.held(taskLease(taskId)) !== undefined;
  }

  async #refresh(): Promise<void> {
    if (this.#uncertain.size === 0) return;
    await this.#options.lane.run(async () => {
      for (const pair of this.#uncertain) await this.#follow(pair);
    });
  }

  /** Makes memory say again what the catalog says of a pair that was written about. Runs in the lane. */
  async #follow(pair: Pair): Promise<void> {
    await this.#options.follow(pair.task.id);
    this.#uncertain.delete(pair);
  }

  /** Does not reject; there is no second try. */
  async #discard(taskId: string, signal: AbortSignal): Promise<void> {
    const { catalog, objects, logger } = this.#options.parts;
    try {
      for (const { row, settings } of await selectEndedRedrives(catalog.db, taskId)) {
        if (signal.aborted) return;
        const { bucket, created_at: createdAt, file_name } = row;
        const cut = { bucket, createdAt, baseName: baseOf(file_name), settings: parseStoredSettings(settings) };
        await removeObjectsOfCut(objects, cut);
        this.#failing.delete(row.id);
      }
    } catch (error) {
      logger.warn({ err: error, task: taskId }, 'uncommitted objects of redrives not removed');
    }
  }
}

/** A cut that holds every letter of its source; its range is that of the source, whatever its last letter is. */
function whole(written: WrittenCut, { row, source }: OpenRedrive): WrittenCut {
  const { files, deadLetters } = written;
  const records = files.reduce((sum, file) => sum + file.records, deadLetters?.records ?? 0);
  if (records !== source.records) throw new Error(`${records} of ${source.records} dead letters were written`);
  return { ...written, next: row.next_sequence };
}
