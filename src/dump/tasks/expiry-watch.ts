/**
 * Tells that undelivered records are about to expire, before they do: once three quarters of their stream's retention
 * have passed, the log of the task gets a row (kind `warning`), and the numbers for Prometheus count the task. It looks
 * at every task once a minute, stopped ones as well: nobody else does. Each node looks at the partitions that it works on. A task that asked for its records to be held
 * (`hold_retention`) loses none; what its row warns of is the disk.
 *
 * One row for each time that a partition gets there: the next one only after it has been out of danger. What was told is
 * kept with the position, so a restart does not tell it again.
 */
import { insertLogRows, type NewLogRow } from '../../catalog/dump-log.ts';
import { clearWarnings, markWarned, selectPositions } from '../../catalog/dump-positions.ts';
import { addLogRows } from '../../catalog/dump-tasks.ts';
import { LOG_STATE } from '../../catalog/schema.ts';
import { ERRORS, isDomainError } from '../../model/errors.ts';
import type { Lane } from '../../platform/lane.ts';
import { repeat, type Repetition } from '../../platform/repeat.ts';
import { retentionMs } from '../../streams/valid-bounds.ts';
import type { DumpParts } from '../dump-config.ts';
import type { DumpTask, Pair, TaskTable } from './task-table.ts';
import { taskTransaction } from './task-transaction.ts';
import { undeliveredOf } from './undelivered.ts';

export interface ExpiryNumbers {
  /** Until the first undelivered record of any task expires; Infinity when none waits, below 0 when one has. */
  readonly seconds: number;
  /** Tasks whose first undelivered record has used up three quarters of its retention, and is not held. */
  readonly tasksAtRisk: number;
}

export interface ExpiryWatchOptions {
  readonly parts: DumpParts;
  readonly tasks: TaskTable;
  readonly lane: Lane;
}

const LOOK_MS = 60_000;
/** Of the retention, that may pass without a word. */
const SAFE_PART = 3 / 4;
/** It holds up whoever else writes to the catalog. */
const WARNINGS_PER_TRANSACTION = 100;
const HOUR_MS = 3_600_000;

/** A pair that has got into danger. */
interface Danger {
  readonly pair: Pair;
  readonly position: number;
  /** Exclusive end of what is undelivered. */
  readonly next: number;
  /** When the first of it arrived, or undefined when that is not kept any more. */
  readonly arrivedAt: number | undefined;
  /** In ms; below 0 for what has expired. */
  readonly left: number;
}

export class ExpiryWatch {
  readonly #options: ExpiryWatchOptions;
  /** When the first undelivered record of a pair arrived: asked for only when that is another one. */
  readonly #arrivals = new WeakMap<Pair, { readonly position: number; readonly at: number | undefined }>();
  #repetition: Repetition | undefined;
  #busy = false;
  #firstExpiry = Infinity;
  #tasksAtRisk = 0;

  constructor(options: ExpiryWatchOptions) {
    this.#options = options;
  }

  /** Looks now, and from then on by itself. */
  start(): void {
    const { clock, logger } = this.#options.parts;
    this.#repetition = repeat(
      clock,
      LOOK_MS,
      () => this.#look(),
      (error) => logger.error({ err: error }, 'undelivered records could not be looked at'),
    );
  }

  async close(): Promise<void> {
    await this.#repetition?.close();
  }

  /** True during a look. */
  get busy(): boolean {
    return this.#busy;
  }

  /** As of the newest look; the time that is left goes down in between. */
  get numbers(): ExpiryNumbers {
    const seconds = (this.#firstExpiry - this.#options.parts.clock.now()) / 1000;
    return { seconds, tasksAtRisk: this.#tasksAtRisk };
  }

  async #look(): Promise<void> {
    this.#busy = true;
    try {
      const { tasks, lane, parts } = this.#options;
      const { leases } = parts.cluster;
      const found: Danger[] = [];
      const safe: Pair[] = [];
      const atRisk = new Set<DumpTask>();
      let first = Infinity;
      for (const task of [...tasks.all()]) {
        const retention = this.#retentionMs(task);
        if (retention === undefined) continue;
        for (const pair of task.pairs) {
          // Of the others another node tells.
          if (pair.uncertain || leases.held(pair.lease) === undefined) continue;
          const danger = await this.#dangerOf(pair, retention);
          if (danger === 'unreadable') continue;
          const isNear = danger !== undefined && danger.left <= retention * (1 - SAFE_PART);
          if (isNear && pair.warnedPosition === null) found.push(danger);
          if (!isNear && pair.warnedPosition !== null) safe.push(pair);
          if (danger === undefined || task.settings.holdRetention) continue;
          first = Math.min(first, parts.clock.now() + danger.left);
          if (isNear) atRisk.add(task);
        }
      }
      this.#firstExpiry = first;
      this.#tasksAtRisk = atRisk.size;
      for (let from = 0; from < found.length; from += WARNINGS_PER_TRANSACTION) {
        await lane.run(() => this.#warn(found.slice(from, from + WARNINGS_PER_TRANSACTION)));
      }
      if (safe.length > 0) await lane.run(() => this.#forget(safe));
    } finally {
      this.#busy = false;
    }
  }

  /** Undefined for a task that has nothing more to deliver, or whose stream is gone. */
  #retentionMs({ state, stream }: DumpTask): number | undefined {
    if (state === 'FINISHED' || state === 'DELETE') return undefined;
    const found = this.#options.parts.streams.byNumber(stream);
    return found === undefined ? undefined : retentionMs(found);
  }

  /** What is undelivered; undefined when nothing is. One unreadable place must not silence the warnings of the others. */
  async #dangerOf(pair: Pair, retention: number): Promise<Danger | 'unreadable' | undefined> {
    const { recordLog, clock, logger } = this.#options.parts;
    const { position } = pair;
    try {
      const { next, lost } = await undeliveredOf(recordLog, pair);
      if (next <= position) return undefined;
      let arrival = this.#arrivals.get(pair);
      if (arrival?.position !== position || lost) {
        arrival = { position, at: lost ? undefined : await recordLog.arrivalTime(pair.ref, position) };
        this.#arrivals.set(pair, arrival);
      }
      const left = arrival.at === undefined ? 0 : arrival.at + retention - clock.now();
      return { pair, position, next, arrivedAt: arrival.at, left };
    } catch (error) {
      if (isDomainError(error, 'StreamNotFound')) return undefined;
      const { task, ref } = pair;
      logger.error({ err: error, task: task.id, partition: ref.partition, position }, 'arrival of a record not read');
      return 'unreadable';
    }
  }

  /** Runs in the lane. A position that has moved on meanwhile is looked at again a minute later. */
  async #warn(found: readonly Danger[]): Promise<void> {
    const { parts, tasks } = this.#options;
    const { db } = parts.catalog;
    const now = parts.clock.now();
    const live = found.filter(({ pair }) => tasks.has(pair.task));
    const refused = new Set<Danger>();
    const claim = { tasks: live.map(({ pair }) => pair.task.id), leases: [] };
    await taskTransaction(parts, claim, async (transaction, granted) => {
      const rows: NewLogRow[] = [];
      refused.clear();
      for (const danger of live) {
        const { pair, position } = danger;
        if (!granted.tasks.has(pair.task.id)) continue;
        const mark = { taskId: pair.task.id, partition: pair.ref.partition, position };
        if (await markWarned(transaction, mark)) rows.push(warningRow(danger, now));
        else refused.add(danger);
      }
      await insertLogRows(transaction, rows);
      for (const [taskId, ofTask] of Map.groupBy(rows, ({ task_id }) => task_id)) {
        await addLogRows(transaction, taskId, ofTask.length);
      }
    });
    for (const danger of live) {
      if (refused.has(danger)) continue;
      const { pair, position, left } = danger;
      pair.warnedPosition = position;
      const { id, name } = pair.task;
      const hours = Math.max(0, left / HOUR_MS).toFixed(1);
      parts.logger.warn(
        { task: id, name, partition: pair.ref.partition, position, hours },
        'undelivered records expire',
      );
    }
    for (const { pair } of refused) {
      const rows = await selectPositions(db, [pair.task.id]);
      pair.warnedPosition = rows.find(({ partition }) => partition === pair.ref.partition)?.warned_position ?? null;
    }
  }

  /** Runs in the lane. */
  async #forget(pairs: readonly Pair[]): Promise<void> {
    const { db } = this.#options.parts.catalog;
    const taskPairs = Map.groupBy(pairs, ({ task }) => task);
    await db.transaction().execute(async (transaction) => {
      for (const [{ id }, ofTask] of taskPairs) {
        await clearWarnings(
          transaction,
          id,
          ofTask.map(({ ref }) => ref.partition),
        );
      }
    });
    for (const pair of pairs) pair.warnedPosition = null;
  }
}

function warningRow({ pair, position, next, arrivedAt, left }: Danger, now: number) {
  const { task, ref } = pair;
  const hours = (left / HOUR_MS).toFixed(1);
  const expiry = left > 0 ? `expire in ${hours} hours` : 'have expired';
  const held = `outlive the retention of the stream${left > 0 ? ` in ${hours} hours` : ''} and are held`;
  return {
    task_id: task.id,
    task_version: task.version,
    partition: ref.partition,
    state: LOG_STATE.failed,
    first_sequence: position,
    next_sequence: next,
    created_at: now,
    start_time: Math.min(arrivedAt ?? now, now),
    end_time: now,
    read_records: 0,
    records: 0,
    bytes: 0,
    file_name: '',
    bucket: task.settings.bucket,
    object_key: '',
    path: '',
    period: null,
    schema_revision: task.schemaRevision,
    checksum: null,
    etag: null,
    attempt: 0,
    // What the loss itself will be called.
    error_code: ERRORS.SequenceNumberOutOfRange.code,
    cause: `undelivered records from ${position} on ${task.settings.holdRetention ? held : expiry}`,
    given_up: 0,
    kind: 'warning',
  } satisfies NewLogRow;
}
