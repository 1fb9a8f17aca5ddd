/**
 * The states of a dump task, as the API shows them:
 *
 *   STARTING   entered by create, and by start from PAUSED. Left at the first look at the stream, for RUNNING, or for
 *              ABNORMAL if a file of the task has failed and is not through yet.
 *   RUNNING    entered from STARTING, and from ABNORMAL when every file that had failed is committed or given up.
 *   ABNORMAL   entered from RUNNING or STARTING while at least one file fails; other partitions go on.
 *   PAUSED     entered by stop from every state above. Nothing is planned, no upload begins; an upload that runs then
 *              finishes and is committed, and fails without leaving PAUSED. What is planned stays planned.
 *   DELETE     entered by the deletion of the task or its stream from every state, and never left: running uploads are
 *              aborted, planned files end as failed. The API does not show such a task; its log stays.
 *
 * ERROR is part of the API and never used: there is no failure that Sluice does not try again.
 *
 * A restart keeps the state: what was ABNORMAL and has no failing file any more is RUNNING after the first look.
 */

export const TASK_STATES = ['STARTING', 'RUNNING', 'ABNORMAL', 'PAUSED', 'DELETE'] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** The state after files were planned, committed or failed: `failing` tells whether any file has failed and is not through. */
export function stateAfterWork(state: TaskState, failing: boolean): TaskState {
  if (state === 'PAUSED' || state === 'DELETE') return state;
  return failing ? 'ABNORMAL' : 'RUNNING';
}

/** Whether files are planned and uploads begun. */
export function isActive(state: TaskState): boolean {
  return state === 'STARTING' || state === 'RUNNING' || state === 'ABNORMAL';
}
