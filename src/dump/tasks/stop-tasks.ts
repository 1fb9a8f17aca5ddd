/**
 * Stops dump tasks. `now`: nothing new is planned or begun; an upload that runs is finished and committed.
 * `finish_planned`: nothing new is planned; what is planned is delivered, failed files included, and then the task is
 * PAUSED. Until then it keeps its state, also over a restart.
 */
import type { Stream } from '../../model/stream.ts';
import { changeStates } from './change-states.ts';
import type { DumpServices } from '../dump-services.ts';
import { isActive, statusAfterWork, type PartitionWork, type TaskStatus } from './task-state.ts';

export const STOP_MODES = ['now', 'finish_planned'] as const;
export type StopMode = (typeof STOP_MODES)[number];

/** All of the tasks with these ids or, with TaskNotFound, none: each must be a task of the stream. */
export async function stopTasks(
  services: DumpServices,
  stream: Stream,
  taskIds: readonly string[],
  mode: StopMode = 'now',
): Promise<void> {
  const { dumpEngine } = services;
  await dumpEngine.change(async () => {
    const stopped = await changeStates(services, stream, taskIds, mode === 'now' ? paused : drained);
    for (const task of stopped) if (!isActive(task.state)) dumpEngine.stopped(task);
  });
}

function paused({ state }: TaskStatus): TaskStatus {
  return { state: isActive(state) ? 'PAUSED' : state, draining: false };
}

function drained({ state }: TaskStatus, work: readonly PartitionWork[], intervalMs: number): TaskStatus {
  if (!isActive(state)) return { state, draining: false };
  // A task that has not looked at its stream yet takes up what it had planned first.
  if (state === 'STARTING') return { state, draining: true };
  return statusAfterWork({ state, draining: true }, work, intervalMs);
}
