/** Stops the parts of a server one after another; a part that hangs or fails does not keep the others from stopping. */
import type { Logger } from 'pino';

export interface ClosingPhase {
  readonly name: string;
  /** Time that `close` gets before the next phase begins without it. */
  readonly limitMs: number;
  close(): Promise<void> | void;
}

/** Runs the phases in order. Resolves to the names of those that failed or took too long: what they hold may be torn. */
export async function runClosingPhases(phases: readonly ClosingPhase[], logger: Logger): Promise<string[]> {
  const failed: string[] = [];
  for (const phase of phases) {
    try {
      await within(phase.limitMs, async () => phase.close());
    } catch (error) {
      failed.push(phase.name);
      logger.error({ err: error, phase: phase.name }, 'closing failed');
    }
  }
  return failed;
}

async function within(limitMs: number, run: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}
