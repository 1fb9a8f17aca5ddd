/**
 * The states of a dump task, as the API shows them:
 *
 *   STARTING   entered by create, and by start from PAUSED. Left at the first look at the stream, for whichever of the
 *              states below its partitions say.
 *   RUNNING    files are delivered.
 *   ABNORMAL   at least one file fails and is tried again; other partitions go on. Left when every file that had failed
 *              is committed or given up.
 *   ERROR      what the task delivers is dead letters and nothing else (see `isAllDead`). It works on, and leaves the
 *              state with the first file. It wins over ABNORMAL: a file that fails may come through by itself, a schema
 *              that fits no record does not.
 *   PAUSED     entered by stop from every state above: at once, or, when what is planned is to be finished first, once
 *              nothing is planned any more. Nothing is planned, no upload begins; an upload that runs then finishes and
 *              is committed, and fails without leaving PAUSED. What is planned stays planned.
 *   FINISHED   backfills only: all up to the end is delivered, given up or dead letters. Never left but for DELETE.
 *   DELETE     entered by the deletion of the task or its stream from every state, and never left: running uploads are
 *              aborted, planned files end as failed. The API does not show such a task; its log stays.
 *
 * A restart keeps the state: what was ABNORMAL and has no failing file any more is RUNNING after the first look.
 */

export const TASK_STATES = ['STARTING', 'RUNNING', 'ABNORMAL', 'ERROR', 'PAUSED', 'FINISHED', 'DELETE'] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** What of a task survives a restart beside its settings and its positions. */
export interface TaskStatus {
  readonly state: TaskState;
  /** Becomes PAUSED once nothing is planned any more; until then nothing new is planned. */
  readonly draining: boolean;
}

/** How far one partition of a task has got: what decides about the state of the whole. */
export interface PartitionWork {
  readonly position: number;
  /** Exclusive; null for a task without an end. */
  readonly end: number | null;
  /** Time of the newest commit in ms, or null before the first. */
  readonly lastTransferAt: number | null;
  /** See Pair. */
  readonly allDead: boolean;
  /** Whether a cut is planned and not through. */
  readonly planned: boolean;
  /** Whether that cut has failed before. */
  readonly failing: boolean;
}

/**
 * Where a task is after a look at the stream or after outcomes were written down. `intervalMs` is how often it delivers
 * at least.
 */
export function statusAfterWork(
  { state, draining }: TaskStatus,
  work: readonly PartitionWork[],
  intervalMs: number,
): TaskStatus {
  if (state === 'DELETE' || state === 'FINISHED') return { state, draining: false };
  if (work.length > 0 && work.every(isThrough)) return { state: 'FINISHED', draining: false };
  if (state === 'PAUSED') return { state, draining: false };
  if (draining && !work.some(({ planned }) => planned)) return { state: 'PAUSED', draining: false };
  if (isAllDead(work, intervalMs)) return { state: 'ERROR', draining };
  return { state: work.some(({ failing }) => failing) ? 'ABNORMAL' : 'RUNNING', draining };
}

/** Whether files are planned and uploads begun. */
export function isActive(state: TaskState): boolean {
  return state === 'STARTING' || state === 'RUNNING' || state === 'ABNORMAL' || state === 'ERROR';
}

function isThrough({ position, end }: PartitionWork): boolean {
  return end !== null && position >= end;
}

/** Partitions that have been silent for longer, compared with the one that delivered last, say nothing about a task. */
const TELLING_INTERVALS = 3;

/** Whether the newest cut held nothing but dead letters in every partition that has delivered lately. */
function isAllDead(work: readonly PartitionWork[], intervalMs: number): boolean {
  const newest = Math.max(...work.map(({ lastTransferAt }) => lastTransferAt ?? 0));
  const telling = work.filter(
    ({ lastTransferAt }) => lastTransferAt !== null && lastTransferAt >= newest - TELLING_INTERVALS * intervalMs,
  );
  return telling.length > 0 && telling.every(({ allDead }) => allDead);
}
