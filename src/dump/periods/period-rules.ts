/** When the keeper of periods may do something for a task. */
import type { DumpTask } from '../tasks/task-table.ts';

/** Pause between two looks at what there is to do. */
export const LOOK_MS = 5000;

/** Whether periods of the task may be found complete, and merges and manifests be planned. */
export function mayPlan({ state, draining }: Pick<DumpTask, 'state' | 'draining'>): boolean {
  return !draining && state !== 'STARTING' && state !== 'PAUSED' && state !== 'DELETE';
}

/** Whether what is planned has to wait: a stopped task writes nothing. */
export function isResting({ state }: Pick<DumpTask, 'state'>): boolean {
  return state === 'PAUSED';
}
