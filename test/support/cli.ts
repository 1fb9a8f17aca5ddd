/** The command line as an operator uses it. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const SLUICE = join(import.meta.dirname, '..', '..', 'bin', 'sluice');
const LIMIT_MS = 30_000;

/** Starts `sluice` with nothing of this process's environment but the PATH, and with `env`; it is killed when it does not end. */
export function spawnSluice(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcessWithoutNullStreams {
  return spawn(SLUICE, args, { env: { PATH: process.env['PATH'] ?? '', ...env }, timeout: LIMIT_MS });
}

/** The same, to its end. */
export async function runSluice(
  args: readonly string[],
  input = '',
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawnSluice(args, env);
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}
