/**
 * Writes down what became of planned files. Outcomes that arrive while a transaction runs share the next one, so many
 * small files cost few syncs.
 *
 *   delivered  the row goes to state 0 and the position past the file, at once or not at all
 *   failed     a row of its own in state 1; the plan stays, its attempt counts on
 *   given up   the row goes to state 1 with `given_up`, the position past its range, its records into `discarded`
 *
 * A position moves only here, only from where the plan begins, and only while the row is still in state 2. So the
 * ranges of the rows in state 0 and of those given up tile the stream up to the position, without gap or overlap.
 */
import type { Kysely } from 'kysely';
import { addLogRows, setTaskState } from '../catalog/dump-tasks.ts';
import { endPlan, insertAttempt, nextAttempt } from '../catalog/dump-log.ts';
import { movePosition } from '../catalog/dump-positions.ts';
import { LOG_STATE, type Database } from '../catalog/schema.ts';
import type { Timer } from '../platform/clock.ts';
import type { DumpParts } from './dump-config.ts';
import type { Lane } from '../platform/lane.ts';
import type { Outcome } from './runner.ts';
import { stateAfterWork, type TaskState } from './task-state.ts';
import { isFailing, type DumpTask, type Pair, type TaskTable } from './task-table.ts';

export interface CommitterOptions {
  readonly parts: DumpParts;
  readonly tasks: TaskTable;
  readonly lane: Lane;
  /** Told the pairs whose plans came to an end: they may have more to deliver. */
  readonly onEnded: (pairs: readonly Pair[]) => void;
  /** Told a delivered file of a task that was deleted meanwhile: its object is not to stay. */
  readonly onOrphan: (outcome: Outcome) => void;
}

/** Where a pair is after the end of its plan. */
interface Landing {
  readonly position: number;
  readonly waitingSince: number;
  readonly lastTransferAt: number | null;
  readonly discarded: number;
}

/** What has become of files since the start. */
export interface DumpTotals {
  /** Files delivered, and what is in them. */
  files: number;
  records: number;
  bytes: number;
  /** Attempts that are followed by others. */
  failedAttempts: number;
  /** Ranges that will never be delivered. */
  givenUp: number;
}

/** Pause before a transaction that failed is tried again. */
const RETRY_MS = 1000;

export class Committer {
  readonly totals: DumpTotals = { files: 0, records: 0, bytes: 0, failedAttempts: 0, givenUp: 0 };
  readonly #options: CommitterOptions;
  #pending: Outcome[] = [];
  #flushing = false;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Outcomes on their way into the catalog; none while the next try waits for its time. */
  get committing(): number {
    return this.#retry === undefined ? this.#pending.length : 0;
  }

  add(outcome: Outcome): void {
    this.#pending.push(outcome);
    if (this.#retry === undefined) this.#flush();
  }

  /** Waits for the transaction that runs; what it could not write stays planned. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#options.lane.idle();
  }

  #flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    const { logger, clock } = this.#options.parts;
    this.#options.lane
      .run(() => this.#commit())
      .catch((error: unknown) => {
        logger.error({ err: error, files: this.#pending.length }, 'dump commit failed');
        if (this.#closed) return;
        this.#retry = clock.after(RETRY_MS, () => {
          this.#retry = undefined;
          this.#flush();
        });
      });
  }

  async #commit(): Promise<void> {
    this.#flushing = false;
    const { parts, tasks, onOrphan, onEnded } = this.#options;
    const live: Outcome[] = [];
    for (const outcome of this.#pending) {
      if (tasks.has(outcome.plan.pair.task)) live.push(outcome);
      else if (outcome.kind === 'delivered') onOrphan(outcome);
    }
    this.#pending = [...live];
    if (live.length === 0) return;

    const now = parts.clock.now();
    const states = statesAfter(live);
    const stale = await parts.catalog.db.transaction().execute(async (transaction) => {
      const refused = new Set<Outcome>();
      for (const outcome of live) if (!(await writeOutcome(transaction, outcome, now))) refused.add(outcome);
      for (const [task, state] of states) {
        if (state !== task.state) await setTaskState(transaction, task.id, state);
      }
      return refused;
    });
    // Outcomes that came during the transaction stay for the next one.
    this.#pending = this.#pending.slice(live.length);
    for (const outcome of live) {
      if (stale.has(outcome)) this.#disown(outcome);
      else this.#apply(outcome, now);
    }
    for (const [task, state] of states) task.state = state;
    onEnded(live.map(({ plan }) => plan.pair));
  }

  #apply(outcome: Outcome, now: number): void {
    apply(outcome, now);
    if (outcome.kind === 'failed') this.totals.failedAttempts += 1;
    else if (outcome.kind === 'givenUp') this.totals.givenUp += 1;
    else {
      this.totals.files += 1;
      this.totals.records += outcome.file.next - outcome.plan.first;
      this.totals.bytes += outcome.file.bytes;
    }
  }

  /** The catalog does not agree with what is in memory: an earlier transaction happened though it seemed to fail. */
  #disown({ plan }: Outcome): void {
    const { task, ref } = plan.pair;
    this.#options.parts.logger.warn({ task: task.id, partition: ref.partition, row: plan.id }, 'stale dump plan');
    plan.pair.uncertain = true;
  }
}

/** False, with nothing written, when the catalog has moved on without this outcome. */
async function writeOutcome(transaction: Kysely<Database>, outcome: Outcome, now: number): Promise<boolean> {
  const { plan } = outcome;
  const { task, ref } = plan.pair;
  if (outcome.kind === 'failed') {
    if (!(await nextAttempt(transaction, plan.id, plan.attempt))) return false;
    await insertAttempt(transaction, attemptRow(outcome, now));
    await addLogRows(transaction, task.id, 1);
    return true;
  }
  const { position, ...landing } = landingOf(outcome, now);
  const move = { taskId: task.id, partition: ref.partition, planId: plan.id, from: plan.first, to: position };
  if (!(await movePosition(transaction, { ...move, ...landing }))) return false;
  const { attempt } = plan;
  const common = { next_sequence: position, end_time: now, attempt };
  if (outcome.kind === 'delivered') {
    const { bytes, checksum, etag } = outcome.file;
    const records = position - plan.first;
    const counts = { read_records: records, records, bytes, checksum, etag };
    const cleared = { error_code: null, cause: null, given_up: 0 };
    await endPlan(transaction, plan.id, { ...common, ...counts, ...cleared, state: LOG_STATE.succeeded });
  } else {
    const counts = { read_records: outcome.recordsRead, records: 0, bytes: 0, checksum: null, etag: null };
    const loss = { error_code: outcome.errorCode, cause: outcome.cause, given_up: 1 };
    await endPlan(transaction, plan.id, { ...common, ...counts, ...loss, state: LOG_STATE.failed });
  }
  return true;
}

function attemptRow({ plan, ...failure }: Outcome & { kind: 'failed' }, now: number) {
  return {
    task_id: plan.pair.task.id,
    task_version: plan.version,
    partition: plan.pair.ref.partition,
    state: LOG_STATE.failed,
    first_sequence: plan.first,
    next_sequence: plan.next,
    created_at: plan.createdAt,
    start_time: failure.startedAt,
    end_time: now,
    read_records: failure.recordsRead,
    records: 0,
    bytes: 0,
    file_name: plan.fileName,
    bucket: plan.bucket,
    object_key: plan.key,
    checksum: null,
    etag: null,
    attempt: plan.attempt,
    error_code: failure.errorCode,
    cause: failure.cause,
    given_up: 0,
  };
}

/**
 * The wait for the next file began when this one was cut: a record waits for one interval at most, however long the
 * uploads take. What a shorter file or a given-up range leaves behind has waited already, so its wait goes on.
 */
function landingOf(outcome: Exclude<Outcome, { kind: 'failed' }>, now: number): Landing {
  const { plan } = outcome;
  const { pair } = plan;
  if (outcome.kind === 'delivered') {
    const { next } = outcome.file;
    const waitingSince = next === plan.next ? plan.createdAt : plan.startTime;
    return { position: next, waitingSince, lastTransferAt: now, discarded: pair.discarded };
  }
  const discarded = pair.discarded + outcome.to - plan.first;
  return { position: outcome.to, waitingSince: plan.startTime, lastTransferAt: pair.lastTransferAt, discarded };
}

function apply(outcome: Outcome, now: number): void {
  const { plan } = outcome;
  if (outcome.kind === 'failed') {
    plan.attempt += 1;
    plan.firstFailure ??= now;
    plan.retryAt = outcome.retryAt;
    plan.phase = 'waiting';
    return;
  }
  const { pair } = plan;
  Object.assign(pair, landingOf(outcome, now));
  pair.plan = undefined;
  pair.measured = { to: pair.position, bytes: 0 };
}

/** The state of each task that the outcomes touch, once they are applied. */
function statesAfter(outcomes: readonly Outcome[]): Map<DumpTask, TaskState> {
  const failedNow = new Map(outcomes.map(({ plan, kind }) => [plan.pair, kind === 'failed']));
  const touched = new Set(outcomes.map(({ plan }) => plan.pair.task));
  return new Map(
    [...touched].map((task) => {
      const failing = task.pairs.some((pair) => failedNow.get(pair) ?? isFailing(pair));
      return [task, stateAfterWork(task.state, failing)];
    }),
  );
}
