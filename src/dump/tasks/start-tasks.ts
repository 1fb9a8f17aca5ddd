/** Starts dump tasks that were stopped; one that is still finishing what it had planned goes on instead. */
import type { Stream } from '../../model/stream.ts';
import type { DumpServices } from '../dump-services.ts';
import { changeStates } from './change-states.ts';

/** All of the tasks with these ids or, with TaskNotFound, none: each must be a task of the stream. */
export async function startTasks(services: DumpServices, stream: Stream, taskIds: readonly string[]): Promise<void> {
  const { dumpEngine } = services;
  await dumpEngine.change(async () => {
    const started = await changeStates(services, stream, taskIds, ({ state }) => ({
      state: state === 'PAUSED' ? 'STARTING' : state,
      draining: false,
    }));
    for (const task of started) dumpEngine.changed(task);
  });
}
