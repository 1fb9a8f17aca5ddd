/**
 * What the engine knows of its tasks, in memory: a few numbers for each (task, partition), here called a pair, and its
 * planned file if there is one. The catalog is the truth; these follow it, and change only in the engine's lane.
 */
import type { TaskKind } from '../../catalog/schema.ts';
import type { PartitionRef } from '../../model/stream.ts';
import type { DumpSettings } from '../settings/settings.ts';
import type { PartitionWork, TaskState } from './task-state.ts';

export interface DumpTask {
  readonly id: string;
  readonly projectId: string;
  /** Number of the stream. */
  readonly stream: number;
  readonly streamName: string;
  readonly name: string;
  /** See DumpTasksTable. */
  readonly kind: TaskKind;
  readonly parentId: string | null;
  state: TaskState;
  /** See TaskStatus. */
  draining: boolean;
  version: number;
  /** Those of `version`. */
  settings: DumpSettings;
  /** See DumpTasksTable. */
  schemaRevision: number;
  readonly pairs: Pair[];
}

/** One partition of one task. */
export interface Pair {
  readonly task: DumpTask;
  readonly ref: PartitionRef;
  /** Name of the lease whose holder works on it. */
  readonly lease: string;
  /** The first record that no committed or given-up file holds. */
  position: number;
  /** When the current wait for the interval began, in ms. */
  waitingSince: number;
  lastTransferAt: number | null;
  discarded: number;
  /** Exclusive end of what is to be delivered; null for a live task, which has none. */
  readonly end: number | null;
  /** No record of the newest committed cut could be converted. */
  allDead: boolean;
  /** See DumpPositionsTable.warned_position. */
  warnedPosition: number | null;
  /** The planned cut; a pair has one at a time. */
  plan: Plan | undefined;
  /** Bytes known to lie between `position` and `to`. */
  measured: { readonly to: number; readonly bytes: number };
  /** The end of the partition at the newest look, and since when it is that, on the clock's monotonic scale. */
  seen: { readonly next: number; readonly at: number };
  /**
   * Memory may be wrong about it, and the catalog must be asked before anything is done: another node works on it, or did,
   * or a transaction failed without telling whether it happened.
   */
  uncertain: boolean;
}

/** An error as the dump log tells it. */
export interface Failure {
  /** As in the table of errors. */
  readonly errorCode: string;
  readonly cause: string;
}

/** A planned cut: a row of dump_log in state 2. */
export interface Plan {
  readonly pair: Pair;
  /** Number of the row. */
  readonly id: number;
  /** [first, next) is what the files hold. */
  readonly first: number;
  readonly next: number;
  /** Time of the plan in ms: when the stream was cut. */
  readonly createdAt: number;
  /** Begin of the interval that the cut covers. */
  readonly startTime: number;
  /** See object-name.ts. */
  readonly baseName: string;
  readonly bucket: string;
  /** The task's version and settings at the time of the plan. */
  readonly version: number;
  readonly settings: DumpSettings;
  /** See DumpLogTable.schema_revision. */
  readonly schemaRevision: number;
  /** The number of the next try or of the one that runs, from 1. */
  attempt: number;
  /** Whether an attempt may have been made before, also one whose end nobody saw: objects of it may be there. */
  tried: boolean;
  /** When the first attempt failed, in ms. */
  firstFailure: number | undefined;
  /** Why the newest attempt failed. */
  failure: Failure | undefined;
  /** On the clock's monotonic scale: not before it is the next attempt made. */
  retryAt: number;
  /** The same in ms, as whoever made the newest attempt saw it; for others to tell. */
  nextTryAt: number | undefined;
  /** waiting: for its time or its task; queued: for an upload slot; running: uploaded or committed. */
  phase: 'waiting' | 'queued' | 'running';
}

/** A cut that has failed and is not through yet. */
export function isFailing(pair: Pair): boolean {
  return pair.plan !== undefined && pair.plan.attempt > 1;
}

/** A cut that is known to be planned and not through. */
export function isPlanned({ plan, uncertain }: Pair): boolean {
  return plan !== undefined && !uncertain;
}

/** What a pair says about the state of its task. */
export function workOf(pair: Pair): PartitionWork {
  const { position, end, lastTransferAt, allDead } = pair;
  // What an uncertain pair has planned is not known: it may have.
  const planned = pair.plan !== undefined || pair.uncertain;
  return { position, end, lastTransferAt, allDead, planned, failing: isFailing(pair) };
}

export class TaskTable {
  readonly #tasks = new Map<string, DumpTask>();

  get(taskId: string): DumpTask | undefined {
    return this.#tasks.get(taskId);
  }

  add(task: DumpTask): void {
    this.#tasks.set(task.id, task);
  }

  /** Whether `task` is known: a deleted one is not. */
  has(task: DumpTask): boolean {
    return this.#tasks.get(task.id) === task;
  }

  remove(task: DumpTask): void {
    this.#tasks.delete(task.id);
  }

  all(): Iterable<DumpTask> {
    return this.#tasks.values();
  }

  *pairs(): Generator<Pair, void, undefined> {
    for (const task of this.#tasks.values()) yield* task.pairs;
  }
}
