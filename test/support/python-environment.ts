/**
 * Programs of the Python registry that look at Sluice with eyes other than ours, each set in an environment of its own
 * below node_modules. Made once for each version of its requirements; needs python3 with venv, and says so.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache');
const INSTALL_LIMIT_MS = 300_000;
const OUTPUT_BYTES = 64 * 1024 * 1024;

export interface Outcome {
  readonly code: number;
  /** Standard output and standard error. */
  readonly output: string;
}

export class PythonEnvironment {
  readonly #folder: string;
  readonly #requirements: string;

  /** `requirements` is the path of a requirements.txt. */
  constructor(name: string, requirements: string) {
    this.#folder = join(CACHE, `sluice-${name}`);
    this.#requirements = requirements;
  }

  /** Rejects with what is missing on this machine. */
  async install(): Promise<void> {
    const wanted = createHash('sha256')
      .update(await readFile(this.#requirements))
      .digest('hex');
    const mark = join(this.#folder, '.made-from');
    if ((await readFile(mark, 'utf8').catch(ifAbsent)) === wanted) return;
    const python = await run('python3', ['-c', 'import venv, ensurepip'], INSTALL_LIMIT_MS).catch(ifAbsent);
    if (python?.code !== 0) throw new Error('python3 with venv is missing (Debian: apt-get install python3-venv)');
    await rm(this.#folder, { recursive: true, force: true });
    await mkdir(this.#folder, { recursive: true });
    const quietly = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', this.#requirements];
    for (const [command, args] of [
      ['python3', ['-m', 'venv', this.#folder]],
      [this.tool('python'), quietly],
    ] as const) {
      const { code, output } = await run(command, args, INSTALL_LIMIT_MS);
      if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${output}`);
    }
    await writeFile(mark, wanted);
  }

  /** Path of a program of the environment. */
  tool(name: string): string {
    return join(this.#folder, 'bin', name);
  }

  /** Runs a program of the environment to its end, or for `limitMs`. */
  run(name: string, args: readonly string[], limitMs: number): Promise<Outcome> {
    return run(this.tool(name), args, limitMs);
  }
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
