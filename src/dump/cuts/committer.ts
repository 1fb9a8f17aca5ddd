/**
 * Writes down what became of planned files. Outcomes that arrive while a transaction runs share the next one, so many
 * small files cost few syncs.
 *
 *   delivered  the row goes to state 0, further files get theirs, and the position past the cut, at once or not at all
 *   failed     a row of its own in state 1; the plan stays, its attempt counts on
 *   given up   the row goes to state 1 with `given_up`, the position past its range, its records into `discarded`
 *
 * A position moves only here, only from where the plan begins, only while the row is still in state 2, and only by the
 * node that holds the lease of the pair. So the ranges of the rows in state 0 and of those given up tile the stream up to
 * the position, without gap or overlap.
 */
import type { Kysely } from 'kysely';
import { addLogRows } from '../../catalog/dump-tasks.ts';
import { endPlan, insertLogRows, nextAttempt } from '../../catalog/dump-log.ts';
import { movePosition } from '../../catalog/dump-positions.ts';
import { LOG_STATE, type Database } from '../../catalog/schema.ts';
import type { Timer } from '../../platform/clock.ts';
import type { DumpParts } from '../dump-config.ts';
import type { Lane } from '../../platform/lane.ts';
import type { WrittenCut } from './cut.ts';
import { writeCutRows } from './cut-rows.ts';
import { learnColumns } from './learn-columns.ts';
import { planRow } from './plan-row.ts';
import type { Outcome } from '../runner.ts';
import type { PartitionWork, TaskStatus } from '../tasks/task-state.ts';
import { workOf, type DumpTask, type Pair, type Plan, type TaskTable } from '../tasks/task-table.ts';
import { taskTransaction, type Granted } from '../tasks/task-transaction.ts';
import { statusesOf, writeStatuses } from '../tasks/task-work.ts';

export interface CommitterOptions {
  readonly parts: DumpParts;
  readonly tasks: TaskTable;
  readonly lane: Lane;
  /** Told the pairs whose plans came to an end: they may have more to deliver. */
  readonly onEnded: (pairs: readonly Pair[]) => void;
  /** Told a written cut that this node does not commit: unless another one does, its objects are not to stay. */
  readonly onOrphan: (plan: Plan, cut: WrittenCut) => void;
}

/** Where a pair is after the end of its plan. */
interface Landing {
  readonly position: number;
  readonly waitingSince: number;
  readonly lastTransferAt: number | null;
  readonly discarded: number;
  readonly allDead: boolean;
}

/** What has become of files since the start. */
export interface DumpTotals {
  /** Files delivered, and what is in them. */
  files: number;
  records: number;
  bytes: number;
  /** Records that could not be converted. */
  deadLetters: number;
  /** Attempts that are followed by others. */
  failedAttempts: number;
  /** Ranges that will never be delivered. */
  givenUp: number;
}

/** Files after which a transaction takes no further outcome: ten thousand are most of a second. */
const FILES_PER_TRANSACTION = 5000;
/** Pause before a transaction that failed is tried again. */
const RETRY_MS = 1000;

export class Committer {
  readonly totals: DumpTotals = { files: 0, records: 0, bytes: 0, deadLetters: 0, failedAttempts: 0, givenUp: 0 };
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

  /** Waits for what is on its way into the catalog; what it did not take stays planned. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    do await this.#options.lane.idle();
    while (this.#flushing);
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
    const { parts, tasks, onEnded } = this.#options;
    const live: Outcome[] = [];
    for (const outcome of this.#pending) {
      if (!tasks.has(outcome.plan.pair.task)) this.#orphan(outcome);
      else if (this.#isOwn(outcome)) live.push(outcome);
      else this.#disown(outcome);
    }
    this.#pending = live;
    const now = parts.clock.now();
    const batch = firstOf(live);
    if (batch.length === 0) return;
    const written = await taskTransaction(parts, claimOf(batch, parts), async (transaction, granted) =>
      writeBatch(transaction, granted, parts, batch, now),
    );
    // What came during the transaction, and what was too much for it, stays for the next one.
    this.#pending = this.#pending.slice(batch.length);
    if (this.#pending.length > 0) this.#flush();
    for (const outcome of batch) {
      if (written.refused.has(outcome)) this.#disown(outcome);
      else this.#apply(outcome, now);
    }
    for (const [task, status] of written.statuses) Object.assign(task, status);
    for (const [task, revision] of written.revisions) task.schemaRevision = revision;
    onEnded(batch.map(({ plan }) => plan.pair));
  }

  /** Whether the plan is the one that this node has for the pair, and the pair is still its own. */
  #isOwn({ plan }: Outcome): boolean {
    const { pair } = plan;
    const { leases } = this.#options.parts.cluster;
    return pair.plan === plan && !pair.uncertain && leases.held(pair.lease) !== undefined;
  }

  #apply(outcome: Outcome, now: number): void {
    apply(outcome, now);
    if (outcome.kind === 'failed') this.totals.failedAttempts += 1;
    else if (outcome.kind === 'givenUp') this.totals.givenUp += 1;
    else {
      const { files, deadLetters } = outcome.cut;
      this.totals.files += files.length;
      for (const { records, bytes } of files) {
        this.totals.records += records;
        this.totals.bytes += bytes;
      }
      this.totals.deadLetters += deadLetters?.records ?? 0;
    }
  }

  /** An earlier transaction happened though it seemed to fail, or another node has the pair by now. */
  #disown(outcome: Outcome): void {
    const { pair, id } = outcome.plan;
    this.#options.parts.logger.warn({ task: pair.task.id, partition: pair.ref.partition, row: id }, 'stale dump plan');
    pair.uncertain = true;
    this.#orphan(outcome);
  }

  #orphan(outcome: Outcome): void {
    if (outcome.kind === 'delivered') this.#options.onOrphan(outcome.plan, outcome.cut);
  }
}

interface Written {
  /** Nothing was written of them. */
  readonly refused: ReadonlySet<Outcome>;
  readonly statuses: ReadonlyMap<DumpTask, TaskStatus>;
  /** The newest columns, where the outcomes have added some. */
  readonly revisions: ReadonlyMap<DumpTask, number>;
}

function claimOf(batch: readonly Outcome[], { cluster }: DumpParts) {
  const pairs = batch.map(({ plan }) => plan.pair);
  return {
    tasks: pairs.map(({ task }) => task.id),
    leases: pairs.flatMap(({ lease }) => cluster.leases.held(lease) ?? []),
  };
}

async function writeBatch(
  transaction: Kysely<Database>,
  { tasks, lost }: Granted,
  { cluster }: DumpParts,
  batch: readonly Outcome[],
  now: number,
): Promise<Written> {
  const refused = new Set<Outcome>();
  const revisions = new Map<DumpTask, number>();
  const ended = new Map<Pair, Outcome>();
  for (const outcome of batch) {
    const { pair } = outcome.plan;
    const isGranted = tasks.has(pair.task.id) && !lost.has(pair.lease);
    if (!isGranted || !(await writeOutcome(transaction, outcome, now))) {
      refused.add(outcome);
      continue;
    }
    ended.set(pair, outcome);
    if (outcome.kind === 'delivered' && outcome.cut.columns !== undefined) {
      revisions.set(pair.task, await learnColumns(transaction, pair.task.id, outcome.cut.columns, now));
    }
  }
  const touched = new Set(Array.from(ended.keys(), ({ task }) => task));
  const statuses = await statusesOf(transaction, touched, tasks, {
    workAfter: (pair) => workAfter(pair, ended.get(pair), now),
  });
  await writeStatuses(transaction, cluster, statuses, tasks);
  return { refused, statuses, revisions };
}

/** The outcomes of one transaction: those in front, at least one. */
function firstOf(outcomes: readonly Outcome[]): readonly Outcome[] {
  let files = 0;
  const end = outcomes.findIndex((outcome) => {
    if (outcome.kind === 'delivered') files += outcome.cut.files.length;
    return files >= FILES_PER_TRANSACTION;
  });
  // A copy in any case: more outcomes come during the transaction.
  return outcomes.slice(0, end < 0 ? undefined : end + 1);
}

/** False, with nothing written, when the catalog has moved on without this outcome. */
async function writeOutcome(transaction: Kysely<Database>, outcome: Outcome, now: number): Promise<boolean> {
  const { plan } = outcome;
  const { task, ref } = plan.pair;
  if (outcome.kind === 'failed') {
    if (!(await nextAttempt(transaction, plan.id, plan.attempt, outcome.nextTryAt))) return false;
    await insertLogRows(transaction, [attemptRow(outcome, now)]);
    await addLogRows(transaction, task.id, 1);
    return true;
  }
  const { position, discarded, ...landing } = landingOf(outcome, now);
  const move = { taskId: task.id, partition: ref.partition, planId: plan.id, from: plan.first, to: position };
  const more = discarded - plan.pair.discarded;
  if (!(await movePosition(transaction, { ...move, ...landing, discarded: more }))) return false;
  if (outcome.kind === 'delivered') {
    await writeCutRows(transaction, { ...planRow(plan), id: plan.id }, outcome.cut, now);
  } else {
    const { attempt } = plan;
    const { recordsRead, errorCode, cause } = outcome;
    const range = { next_sequence: position, end_time: now, attempt };
    const loss = { read_records: recordsRead, error_code: errorCode, cause, given_up: 1 };
    await endPlan(transaction, plan.id, { ...range, ...loss, state: LOG_STATE.failed });
  }
  return true;
}

function attemptRow({ plan, ...failure }: Outcome & { kind: 'failed' }, now: number) {
  return {
    ...planRow(plan),
    state: LOG_STATE.failed,
    start_time: failure.startedAt,
    end_time: now,
    read_records: failure.recordsRead,
    error_code: failure.errorCode,
    cause: failure.cause,
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
    const { next, files, deadLetters } = outcome.cut;
    return {
      position: next,
      waitingSince: next === plan.next ? plan.createdAt : plan.startTime,
      lastTransferAt: now,
      discarded: pair.discarded + (deadLetters?.records ?? 0),
      allDead: files.length === 0,
    };
  }
  return {
    position: outcome.to,
    waitingSince: plan.startTime,
    lastTransferAt: pair.lastTransferAt,
    discarded: pair.discarded + outcome.to - plan.first,
    allDead: pair.allDead,
  };
}

function apply(outcome: Outcome, now: number): void {
  const { plan } = outcome;
  if (outcome.kind === 'failed') {
    plan.attempt += 1;
    plan.firstFailure ??= now;
    plan.failure = { errorCode: outcome.errorCode, cause: outcome.cause };
    plan.retryAt = outcome.retryAt;
    plan.nextTryAt = outcome.nextTryAt;
    plan.phase = 'waiting';
    return;
  }
  const { pair } = plan;
  Object.assign(pair, landingOf(outcome, now));
  pair.plan = undefined;
  pair.measured = { to: pair.position, bytes: 0 };
}

function workAfter(pair: Pair, outcome: Outcome | undefined, now: number): PartitionWork {
  if (outcome === undefined) return workOf(pair);
  if (outcome.kind === 'failed') return { ...workOf(pair), planned: true, failing: true };
  const { position, lastTransferAt, allDead } = landingOf(outcome, now);
  return { position, end: pair.end, lastTransferAt, allDead, planned: false, failing: false };
}
