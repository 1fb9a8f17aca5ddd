/** A floor or a peer: a server in a process of its own that prints when it listens. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ChildServer {
  /** What it printed when it was ready. */
  readonly greeting: string;
  readonly pid: number;
  /** Stops it in its tracks, so that what it does in the background is not done in another's turn. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

const START_LIMIT_MS = 20_000;

export async function startChild(script: string, args: readonly string[]): Promise<ChildServer> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const [greeting] = (await Promise.race([
    once(child.stdout, 'data', { signal: AbortSignal.timeout(START_LIMIT_MS) }),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${script} ended with ${String(code)}`))),
  ])) as [Buffer];
  return {
    greeting: greeting.toString('utf8'),
    pid: child.pid!,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop: async () => {
      process.off('exit', end);
      const ended = once(child, 'exit');
      if (child.exitCode === null && end()) await ended;
    },
  };
}

/** The URL in a floor's greeting. */
export function urlOf({ greeting }: ChildServer): string {
  return /http:\/\/\S+/.exec(greeting)![0];
}
