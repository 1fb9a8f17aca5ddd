/**
 * Python programs that look at the API with eyes other than ours, in an environment of their own below node_modules. Made
 * once for each version of requirements.txt; needs python3 with venv, and says so.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const ENVIRONMENT = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'sluice-fuzz');
const MARK = join(ENVIRONMENT, '.made-from');
const INSTALL_LIMIT_MS = 300_000;
const OUTPUT_BYTES = 16 * 1024 * 1024;

export interface Outcome {
  readonly code: number;
  /** Standard output and standard error. */
  readonly output: string;
}

/** Rejects with what is missing on this machine. */
export async function installPythonTools(): Promise<void> {
  const wanted = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex');
  if ((await readFile(MARK, 'utf8').catch(ifAbsent)) === wanted) return;
  const python = await run('python3', ['-c', 'import venv, ensurepip'], INSTALL_LIMIT_MS).catch(ifAbsent);
  if (python?.code !== 0) throw new Error('python3 with venv is missing (Debian: apt-get install python3-venv)');
  await rm(ENVIRONMENT, { recursive: true, force: true });
  await mkdir(ENVIRONMENT, { recursive: true });
  for (const [command, args] of [
    ['python3', ['-m', 'venv', ENVIRONMENT]],
    [tool('python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS]],
  ] as const) {
    const { code, output } = await run(command, args, INSTALL_LIMIT_MS);
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${output}`);
  }
  await writeFile(MARK, wanted);
}

/** Runs a tool of the environment to its end, or for `limitMs`. */
export function runPythonTool(name: string, args: readonly string[], limitMs: number): Promise<Outcome> {
  return run(tool(name), args, limitMs);
}

function tool(name: string): string {
  return join(ENVIRONMENT, 'bin', name);
}

async function run(command: string, args: readonly string[], timeout: number): Promise<Outcome> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { timeout, maxBuffer: OUTPUT_BYTES });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (code === 'ENOENT') throw error;
    return { code: typeof code === 'number' ? code : -1, output: `${stdout ?? ''}${stderr ?? ''}` };
  }
}

function ifAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
