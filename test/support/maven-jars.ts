/**
 * Java programs of Maven Central, fetched once for each version of a pom into a folder below node_modules. Needs a JDK
 * and Maven, and says so.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache');
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
const INSTALL_LIMIT_MS = 480_000;

export class MavenJars {
  readonly #folder: string;
  readonly #pom: string;

  /** `pom` is the path of a pom.xml whose dependencies are the jars. */
  constructor(name: string, pom: string) {
    this.#folder = join(CACHE, `sluice-${name}`);
    this.#pom = pom;
  }

  /** For `java -cp`. */
  get classPath(): string {
    return join(this.#folder, '*');
  }

  /** Rejects with what is missing on this machine. */
  async install(): Promise<void> {
    const wanted = createHash('sha256')
      .update(await readFile(this.#pom))
      .digest('hex');
    const mark = join(this.#folder, '.made-from');
    if ((await readFile(mark, 'utf8').catch(ifAbsent)) === wanted) return;
    await need('java', ['-version'], 'a JDK from 17 on (Debian: default-jdk-headless)');
    await need('mvn', ['--version'], 'Maven (Debian: maven)');
    await rm(this.#folder, { recursive: true, force: true });
    await mkdir(this.#folder, { recursive: true });
    const args = ['-q', '-B', '-f', this.#pom, COPY_DEPENDENCIES, `-DoutputDirectory=${this.#folder}`];
    try {
      await promisify(execFile)('mvn', args, { timeout: INSTALL_LIMIT_MS });
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`mvn failed:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
    }
    await writeFile(mark, wanted);
  }
}

async function need(command: string, args: readonly string[], what: string): Promise<void> {
  try {
    await promisify(execFile)(command, args);
  } catch (error) {
    throw new Error(`${what} is missing`, { cause: error });
  }
}

function ifAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
