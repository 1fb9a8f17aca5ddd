/**
 * Carries out planned merges. What a merge comes to is written down in one transaction: its row goes to state 0, and the
 * files that it is made of are superseded, all of them or none. Their objects are removed after that, never before. So a
 * reader of the bucket sees the inputs, or the merged file, or for a moment both; the log and the manifest say which count.
 *
 *   merged     as above
 *   failed     a row of its own in state 1; the plan stays and is tried again with backoff
 *   given up   an input is altered or missing, or `retry_duration` is over: the row goes to state 1, and its inputs stay
 *              the files that they were
 *   split      the columns of an input are others: the merge keeps the inputs before it, the others get one of their own
 */
import type { Kysely } from 'kysely';
import {
  endPlan,
  insertLogRows,
  nextAttempt,
  selectFailures,
  type NewLogRow,
  type OpenPlan,
} from '../../catalog/dump-log.ts';
import {
  releaseInputs,
  selectEndedMerges,
  selectInputs,
  selectMerge,
  supersedeInputs,
  type FileRow,
} from '../../catalog/dump-merges.ts';
import { addLogRows } from '../../catalog/dump-tasks.ts';
import { LOG_STATE, type Database } from '../../catalog/schema.ts';
import type { PutResult } from '../../objects/object-store.ts';
import type { Lane } from '../../platform/lane.ts';
import { retryDelay } from '../backoff.ts';
import { describeFailure } from '../describe-failure.ts';
import type { DumpParts } from '../dump-config.ts';
import { fileHeaders } from '../cuts/file-headers.ts';
import type { Job } from '../job-queue.ts';
import { isResting, LOOK_MS } from '../periods/period-rules.ts';
import { parseStoredSettings } from '../settings/settings.ts';
import { taskLease } from '../tasks/lease-names.ts';
import type { DumpTask, TaskTable } from '../tasks/task-table.ts';
import { ownTaskTransaction } from '../tasks/task-transaction.ts';
import { MergedFile, type OtherColumns } from './merged-file.ts';
import { loadSettings, writeMergePlans } from './plan-merges.ts';

export interface MergerOptions {
  readonly parts: DumpParts;
  readonly tasks: TaskTable;
  readonly lane: Lane;
  /** Within the transaction that ends a merge of the period, whatever became of it. */
  readonly onEnding: (transaction: Kysely<Database>, task: DumpTask, period: number) => Promise<void>;
  /** After that transaction: `planned` are further merges that came of it. */
  readonly onEnded: (task: DumpTask, period: number, planned: readonly number[]) => Promise<void>;
  /** A transaction failed without telling whether it happened: what is planned must be looked for. */
  readonly onUncertain: () => void;
}

interface Attempt {
  readonly task: DumpTask;
  readonly plan: OpenPlan;
  readonly inputs: readonly FileRow[];
  /** In ms. */
  readonly startedAt: number;
}

/** Pause after an error of the catalog. */
const RETRY_MS = 1000;

export class Merger {
  readonly #options: MergerOptions;

  constructor(options: MergerOptions) {
    this.#options = options;
  }

  job(id: number, taskId: string): Job {
    return { key: `merge ${id}`, taskId, run: (signal) => this.#run(id, taskId, signal) };
  }

  /** Removes what attempts at merges of a deleted task may have stored. Does not reject; there is no second try. */
  async discard(taskId: string, signal: AbortSignal): Promise<void> {
    const { catalog, objects, logger } = this.#options.parts;
    try {
      for (const { bucket, object_key: key } of await selectEndedMerges(catalog.db, taskId)) {
        if (signal.aborted) return;
        await objects.delete(bucket, key);
      }
    } catch (error) {
      logger.warn({ err: error, task: taskId }, 'uncommitted merged files not removed');
    }
  }

  /** See Job.run. */
  async #run(id: number, taskId: string, signal: AbortSignal): Promise<number | undefined> {
    const { parts, tasks } = this.#options;
    try {
      const task = tasks.get(taskId);
      if (task === undefined || !this.#isOwn(taskId)) return undefined;
      if (isResting(task)) return LOOK_MS;
      const plan = await selectMerge(parts.catalog.db, id);
      if (plan === undefined) return undefined;
      if (plan.state !== LOG_STATE.inProgress) {
        // An earlier transaction happened though it seemed to fail.
        await this.#options.onEnded(task, plan.period ?? 0, []);
        return undefined;
      }
      const inputs = await selectInputs(parts.catalog.db, id);
      return await this.#attempt({ task, plan, inputs, startedAt: parts.clock.now() }, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      parts.logger.error({ err: error, row: id }, 'merge failed');
      this.#options.onUncertain();
      return RETRY_MS;
    }
  }

  async #attempt(attempt: Attempt, signal: AbortSignal): Promise<number | undefined> {
    const { plan, inputs } = attempt;
    const { parts } = this.#options;
    const settings = parseStoredSettings(plan.settings);
    const file = new MergedFile(parts, inputs, settings);
    const { bucket, object_key: key } = plan;
    let stored: PutResult;
    try {
      stored = await parts.objects.put(bucket, key, file.pieces(), { ...fileHeaders(settings), signal });
      if (!file.complete || stored.bytes !== file.bytes) {
        throw new Error(`the store says ${stored.bytes} bytes where ${file.bytes} were sent`);
      }
    } catch (error) {
      if (signal.aborted) throw error;
      if (file.otherColumns !== undefined) return this.#split(attempt, file.otherColumns);
      const altered = await file.diagnose();
      if (altered === undefined) return this.#failed(attempt, error);
      // An earlier attempt whose answer was lost may have stored the file while its inputs were whole.
      const removal = await failureOf(() => this.#remove(plan));
      return removal === undefined ? this.#giveUp(attempt, altered) : this.#failed(attempt, removal);
    }
    await this.#commit(attempt, stored);
    return undefined;
  }

  async #commit(attempt: Attempt, { bytes, etag, sha256 }: PutResult): Promise<void> {
    const { plan, inputs } = attempt;
    const records = inputs.reduce((sum, input) => sum + input.records, 0);
    await this.#end(attempt, [], async (transaction, now) => {
      const written = { state: LOG_STATE.succeeded, end_time: now, records, read_records: records, bytes, etag };
      if (!(await endPlan(transaction, plan.id, { ...written, checksum: `sha256:${sha256}` }))) return;
      const superseded = await supersedeInputs(transaction, plan.id, now);
      if (superseded !== inputs.length) throw new Error(`${superseded} of ${inputs.length} merged files were there`);
    });
  }

  async #failed(attempt: Attempt, error: unknown): Promise<number | undefined> {
    const { plan } = attempt;
    const { catalog, clock, random, config, logger } = this.#options.parts;
    const now = clock.now();
    let delay = retryDelay(plan.attempt, config.backoff, random.fraction());
    const { retrySeconds } = parseStoredSettings(plan.settings);
    if (retrySeconds !== undefined) {
      const left = ((await selectFailures(catalog.db, plan))?.firstAt ?? now) + retrySeconds * 1000 - now;
      if (left <= 0) {
        const removal = await failureOf(() => this.#remove(plan));
        if (removal !== undefined)
          logger.warn({ err: removal, file: plan.file_name }, 'given-up merged file not removed');
        return this.#giveUp(attempt, error);
      }
      delay = Math.min(delay, left);
    }
    await this.#change(attempt.task, async (transaction) => {
      if (!(await nextAttempt(transaction, plan.id, plan.attempt))) return;
      await insertLogRows(transaction, [attemptRow(attempt, error, now)]);
      await addLogRows(transaction, plan.task_id, 1);
    });
    return delay;
  }

  /** The inputs stay what they are; they are not merged again. */
  async #giveUp(attempt: Attempt, error: unknown): Promise<undefined> {
    const { plan } = attempt;
    const { logger } = this.#options.parts;
    logger.warn({ err: error, task: plan.task_id, file: plan.file_name }, 'files could not be merged');
    await this.#end(attempt, [], async (transaction, now) => {
      const end = { state: LOG_STATE.failed, end_time: now, ...errorColumns(error) };
      if (await endPlan(transaction, plan.id, end)) await releaseInputs(transaction, plan.id);
    });
  }

  async #split(attempt: Attempt, { index, message }: OtherColumns): Promise<number | undefined> {
    const { task, plan, inputs } = attempt;
    const settingsOf = await loadSettings(this.#options.parts.catalog.db, task.id);
    const rest = inputs.slice(index);
    const planned: number[] = [];
    const alone = index === 1;
    const change = async (transaction: Kysely<Database>, now: number) => {
      const ended = { state: LOG_STATE.failed, end_time: now, ...errorColumns(new Error(message)) };
      if (alone && !(await endPlan(transaction, plan.id, ended))) return;
      await releaseInputs(transaction, plan.id, alone ? undefined : rest.map(({ id }) => id));
      const groups = rest.length > 1 ? [rest] : [];
      const planning = { owner: task, period: plan.period ?? 0, now, settingsOf };
      planned.push(...(await writeMergePlans(transaction, planning, groups)));
    };
    await this.#end(attempt, planned, change);
    return alone ? undefined : 0;
  }

  /** Rejects, too, when another node may have the merge by now: then it may be its file. */
  async #remove({ task_id, bucket, object_key }: OpenPlan): Promise<void> {
    if (!this.#isOwn(task_id)) throw new Error('another node has the task');
    await this.#options.parts.objects.delete(bucket, object_key);
  }

  #isOwn(taskId: string): boolean {
    return this.#options.parts.cluster.leases.held(taskLease(taskId)) !== undefined;
  }

  /** Writes down what a merge has come to, or what has become of its plan. */
  async #end(
    { task, plan }: Attempt,
    planned: readonly number[],
    change: (transaction: Kysely<Database>, now: number) => Promise<void>,
  ): Promise<void> {
    const period = plan.period ?? 0;
    const { clock } = this.#options.parts;
    const done = await this.#change(task, async (transaction) => {
      await change(transaction, clock.now());
      await this.#options.onEnding(transaction, task, period);
    });
    if (done) await this.#options.onEnded(task, period, planned);
  }

  /** Runs a transaction in the lane; false, without it, when the task was deleted meanwhile or is another node's by now. */
  #change(task: DumpTask, run: (transaction: Kysely<Database>) => Promise<void>): Promise<boolean> {
    const { parts, tasks, lane } = this.#options;
    return lane.run(async () => {
      if (!tasks.has(task)) return false;
      return (await ownTaskTransaction(parts, task.id, run)) !== undefined;
    });
  }
}

/** A failed attempt that is followed by another. */
function attemptRow({ plan, startedAt }: Attempt, error: unknown, now: number): NewLogRow {
  return {
    task_id: plan.task_id,
    task_version: plan.task_version,
    partition: plan.partition,
    state: LOG_STATE.failed,
    first_sequence: plan.first_sequence,
    next_sequence: plan.next_sequence,
    created_at: plan.created_at,
    start_time: startedAt,
    end_time: now,
    read_records: 0,
    records: 0,
    bytes: 0,
    file_name: plan.file_name,
    bucket: plan.bucket,
    object_key: plan.object_key,
    path: plan.path,
    period: plan.period,
    schema_revision: plan.schema_revision,
    attempt: plan.attempt,
    ...errorColumns(error),
    given_up: 0,
    kind: plan.kind,
  };
}

/** What `job` rejects with; undefined when it resolves. */
async function failureOf(job: () => Promise<void>): Promise<unknown> {
  try {
    await job();
    return undefined;
  } catch (error) {
    return error ?? new Error('failed without a reason');
  }
}

function errorColumns(error: unknown) {
  const { errorCode, cause } = describeFailure(error);
  return { error_code: errorCode, cause };
}
