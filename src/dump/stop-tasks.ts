/** Stops dump tasks: nothing new is planned or begun. An upload that runs is finished and committed. */
import type { Stream } from '../model/stream.ts';
import { changeStates } from './change-states.ts';
import type { DumpServices } from './dump-services.ts';

/** All of the tasks with these ids or, with TaskNotFound, none: each must be a task of the stream. */
export async function stopTasks(services: DumpServices, stream: Stream, taskIds: readonly string[]): Promise<void> {
  const { dumpEngine } = services;
  await dumpEngine.change(async () => {
    for (const task of await changeStates(services, stream, taskIds, () => 'PAUSED')) dumpEngine.stopped(task);
  });
}
