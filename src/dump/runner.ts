/**
 * Takes planned files in the order in which they come and writes `uploads` of them at a time. What becomes of each goes
 * to the committer as an Outcome; the upload slot is free again as soon as the object is stored, before the commit.
 */
import { isPlanFailed } from '../catalog/dump-log.ts';
import { selectColumns } from '../catalog/dump-schemas.ts';
import { retryDelay } from './backoff.ts';
import type { DumpParts } from './dump-config.ts';
import type { CutToWrite, WrittenCut } from './cuts/cut.ts';
import { describeFailure } from './describe-failure.ts';
import { LogSource, LostRecords } from './cuts/log-source.ts';
import { removeObjectsOfCut, removeWrittenCut } from './cuts/remove-objects.ts';
import { FailedAttempt, writeCut } from './cuts/write-cut.ts';
import type { DumpTask, Pair, Plan } from './tasks/task-table.ts';

interface Ended {
  readonly plan: Plan;
  /** When the attempt began, in ms. */
  readonly startedAt: number;
}

export type Outcome =
  | (Ended & { readonly kind: 'delivered'; readonly cut: WrittenCut })
  | (Ended & {
      readonly kind: 'failed';
      readonly recordsRead: number;
      readonly errorCode: string;
      readonly cause: string;
      /** See Plan. */
      readonly retryAt: number;
      readonly nextTryAt: number;
    })
  | (Ended & {
      /** Nothing of [plan.first, to) will be delivered. */
      readonly kind: 'givenUp';
      readonly to: number;
      readonly recordsRead: number;
      readonly errorCode: string;
      readonly cause: string;
    });

export class Runner {
  readonly #parts: DumpParts;
  readonly #deliver: (outcome: Outcome) => void;
  /** Plans in phase `queued`, first in first out. */
  readonly #queue = new Set<Plan>();
  readonly #running = new Map<Plan, AbortController>();
  readonly #cleaning = new Set<Promise<void>>();
  #idle: (() => void)[] = [];
  #closed = false;

  /** `deliver` takes every outcome but that of an aborted upload; it must not throw. */
  constructor(parts: DumpParts, deliver: (outcome: Outcome) => void) {
    this.#parts = parts;
    this.#deliver = deliver;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Removals of objects that are still under way. */
  get cleaning(): number {
    return this.#cleaning.size;
  }

  /** Queues a waiting plan. */
  enqueue(plan: Plan): void {
    if (this.#closed || plan.phase !== 'waiting') return;
    plan.phase = 'queued';
    this.#queue.add(plan);
    this.#pump();
  }

  /** Takes a task's plans out of the queue; they wait again. Uploads that run are left alone. */
  withdraw(task: DumpTask): void {
    for (const { plan } of task.pairs) {
      if (plan !== undefined && this.#queue.delete(plan)) plan.phase = 'waiting';
    }
  }

  /** Ends the work on pairs that are not this node's any more; what is planned stays planned. */
  leave(pairs: Iterable<Pair>): void {
    for (const { plan } of pairs) {
      if (plan === undefined) continue;
      if (this.#queue.delete(plan)) plan.phase = 'waiting';
      this.#running.get(plan)?.abort(new Error('another node has the partition'));
    }
  }

  /** Ends the work on a deleted task's files and removes their objects as far as the store lets it. */
  abandon(task: DumpTask): void {
    this.withdraw(task);
    for (const { plan } of task.pairs) {
      if (plan === undefined) continue;
      const upload = this.#running.get(plan);
      if (upload !== undefined) upload.abort(new Error('the task was deleted'));
      else this.discard(plan);
    }
  }

  /**
   * Removes the objects of a cut that is not to be committed, in the background and without a second try. `cut` is what
   * was written of it, if that is known.
   */
  discard(plan: Plan, cut?: WrittenCut): void {
    const removal = this.#discard(plan, cut)
      .catch((error: unknown) => {
        this.#parts.logger.warn({ err: error, cut: plan.baseName }, 'uncommitted objects not removed');
      })
      .finally(() => this.#cleaning.delete(removal));
    this.#cleaning.add(removal);
  }

  async #discard(plan: Plan, cut: WrittenCut | undefined): Promise<void> {
    const { objects, catalog } = this.#parts;
    // A commit that seemed to fail may have happened, or another node may have the plan now: then they are its files.
    if (!(await isPlanFailed(catalog.db, plan.id))) return;
    await (cut === undefined ? removeObjectsOfCut(objects, cutOf(plan)) : removeWrittenCut(objects, plan.bucket, cut));
  }

  /** Lets no further upload begin. Resolves once none runs. */
  async drain(): Promise<void> {
    this.#closed = true;
    for (const plan of this.#queue) plan.phase = 'waiting';
    this.#queue.clear();
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.cleaned();
  }

  /** Resolves once no removal of objects is under way. */
  async cleaned(): Promise<void> {
    await Promise.all(this.#cleaning);
  }

  /** Aborts what runs; its plans stay planned. */
  abortAll(): void {
    for (const upload of this.#running.values()) upload.abort(new Error('the server is shutting down'));
  }

  #pump(): void {
    for (const plan of this.#queue) {
      if (this.#running.size >= this.#parts.config.uploads) return;
      this.#queue.delete(plan);
      plan.phase = 'running';
      const upload = new AbortController();
      this.#running.set(plan, upload);
      this.#run(plan, upload.signal).catch((error: unknown) => {
        this.#parts.logger.error({ err: error, cut: plan.baseName }, 'dump runner failed');
      });
    }
  }

  async #run(plan: Plan, signal: AbortSignal): Promise<void> {
    const outcome = await this.#attempt(plan, signal);
    this.#running.delete(plan);
    if (outcome === undefined) plan.phase = 'waiting';
    else this.#deliver(outcome);
    if (this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
    this.#pump();
  }

  /** Undefined for an attempt that was aborted. Does not throw. */
  async #attempt(plan: Plan, signal: AbortSignal): Promise<Outcome | undefined> {
    const { clock } = this.#parts;
    const startedAt = clock.now();
    const triedBefore = plan.tried;
    plan.tried = true;
    try {
      const cut = await writeCut(this.#parts, await this.#toWrite(plan), signal);
      // An earlier attempt may have stored files of what is lost by now.
      if (cut.next < plan.next && triedBefore) await this.#remove(plan, cut);
      return { kind: 'delivered', plan, startedAt, cut };
    } catch (error) {
      if (signal.aborted) {
        // The store leaves nothing behind if it can; a task that is gone has no later try to make good what it left.
        if (plan.pair.task.state === 'DELETE') this.discard(plan);
        return undefined;
      }
      if (error instanceof LostRecords) return this.#lost(plan, startedAt, error);
      const failure = error instanceof FailedAttempt ? error : new FailedAttempt(0, error);
      return this.#failed(plan, startedAt, failure.recordsRead, failure.cause);
    }
  }

  /**
   * An earlier attempt whose answer was lost may have stored objects when the records were still there: the range
   * counts as given up only when it is certain that no object holds it.
   */
  async #lost(plan: Plan, startedAt: number, error: LostRecords): Promise<Outcome> {
    try {
      await this.#remove(plan);
    } catch (cause) {
      return this.#failed(plan, startedAt, 0, cause);
    }
    // The loss may reach beyond the plan; it is not the task's beyond its end.
    const to = Math.min(error.to, plan.pair.end ?? Infinity);
    return { kind: 'givenUp', plan, startedAt, to, recordsRead: 0, ...describeFailure(error.cause) };
  }

  async #failed(plan: Plan, startedAt: number, recordsRead: number, cause: unknown): Promise<Outcome> {
    const { clock, random, config } = this.#parts;
    const now = clock.now();
    const delay = retryDelay(plan.attempt, config.backoff, random.fraction());
    const { retrySeconds } = plan.settings;
    if (retrySeconds === undefined) {
      return this.#retry(plan, startedAt, recordsRead, cause, delay);
    }
    const left = (plan.firstFailure ?? now) + retrySeconds * 1000 - now;
    // The last try is made at the end of the time, not at the end of the pause that reaches over it.
    if (left > 0) return this.#retry(plan, startedAt, recordsRead, cause, Math.min(delay, left));
    try {
      await this.#remove(plan);
    } catch (error) {
      // As in #lost: an object may hold the range.
      return this.#retry(plan, startedAt, recordsRead, error, delay);
    }
    return { kind: 'givenUp', plan, startedAt, to: plan.next, recordsRead, ...describeFailure(cause) };
  }

  #retry(plan: Plan, startedAt: number, recordsRead: number, cause: unknown, delay: number): Outcome {
    const { clock } = this.#parts;
    const times = { retryAt: clock.monotonic() + delay, nextTryAt: clock.now() + Math.ceil(delay) };
    return { kind: 'failed', plan, startedAt, recordsRead, ...describeFailure(cause), ...times };
  }

  async #toWrite(plan: Plan): Promise<CutToWrite> {
    const { pair, first, next, schemaRevision } = plan;
    const { db } = this.#parts.catalog;
    const { partition } = pair.ref;
    const source = new LogSource(this.#parts, { ref: pair.ref, first, next });
    const columns = schemaRevision === 0 ? undefined : await selectColumns(db, pair.task.id, schemaRevision);
    return { ...cutOf(plan), source, partition, columns };
  }

  /** Rejects, too, when another node may have the plan by now: then they may be its files. */
  #remove(plan: Plan, keep?: WrittenCut): Promise<void> {
    const { objects, cluster } = this.#parts;
    const isOurs = () => cluster.leases.held(plan.pair.lease) !== undefined && !plan.pair.uncertain;
    return removeObjectsOfCut(objects, cutOf(plan), { keep, isOurs });
  }
}

function cutOf({ first, next, createdAt, baseName, bucket, settings }: Plan) {
  return { first, next, createdAt, baseName, bucket, settings };
}
