/** Jobs that are done again and again for as long as the server runs. */
import type { Clock, Timer } from './clock.ts';

export interface Repetition {
  /** Starts no further run; resolves when the one that is running, if any, is done. */
  close(): Promise<void>;
}

/** Runs `job` now and then `pauseMs` after the end of each run, whether it succeeded or not. */
export function repeat(
  clock: Clock,
  pauseMs: number,
  job: () => Promise<unknown>,
  onError: (error: unknown) => void,
): Repetition {
  let timer: Timer | undefined;
  let closed = false;
  const run = async () => {
    try {
      await job();
    } catch (error) {
      onError(error);
    }
    if (!closed) timer = clock.after(pauseMs, start);
  };
  let running: Promise<void>;
  const start = () => {
    running = run();
  };
  start();
  return {
    async close() {
      closed = true;
      timer?.cancel();
      await running;
    },
  };
}
