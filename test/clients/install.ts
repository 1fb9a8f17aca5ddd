/**
 * Fetches the real clients from their registries, in the versions that stand beside the programs that use them, and
 * compiles the Java programs. What is there already is left alone; a changed version or program is made anew. Run by
 * `npm run test:clients`; needs python3 with venv, a JDK from 11 on and Maven, and says which of them is missing.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { JAVA_DIS, JAVA_KAFKA, PYTHON_DIS, PYTHON_V3, type JavaClient, type PythonClient } from './toolchain.ts';

const LIMIT_MS = 300_000;
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';

const NEEDED = [
  { what: 'python3 with venv (Debian: python3-venv)', command: ['python3', '-c', 'import venv, ensurepip'] },
  { what: 'a JDK (Debian: default-jdk-headless)', command: ['javac', '-version'] },
  { what: 'Maven (Debian: maven)', command: ['mvn', '--version'] },
];

const missing = await Promise.all(NEEDED.map(async ({ what, command }) => ((await works(command)) ? [] : [what])));
if (missing.flat().length > 0) {
  console.error(`The real clients cannot be installed here. Missing: ${missing.flat().join('; ')}.`);
  process.exit(1);
}
for (const client of [PYTHON_DIS, PYTHON_V3]) await installPython(client);
for (const client of [JAVA_DIS, JAVA_KAFKA]) await installJava(client);

async function installPython({ requirements, environment, python }: PythonClient): Promise<void> {
  await once(environment, [requirements], async () => {
    await run('python3', ['-m', 'venv', environment]);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  });
}

async function installJava({ pom, jars, sources, classes, classPath }: JavaClient): Promise<void> {
  await once(jars, [pom], () => run('mvn', ['-q', '-B', '-f', pom, COPY_DEPENDENCIES, `-DoutputDirectory=${jars}`]));
  await once(classes, [pom, ...sources], () =>
    run('javac', [
      '--release',
      '11',
      '-encoding',
      'UTF-8',
      '-Xlint:-options',
      '-d',
      classes,
      '-cp',
      classPath,
      ...sources,
    ]),
  );
}

/** Makes a folder anew unless it was made from the same files; one that was left half made counts as not made. */
async function once(folder: string, files: readonly string[], make: () => Promise<void>): Promise<void> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  const wanted = hash.digest('hex');
  const mark = join(folder, '.made-from');
  if ((await readFile(mark, 'utf8').catch(ifAbsent)) === wanted) return;

  console.log(`making ${folder}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await make();
  await writeFile(mark, wanted);
}

function ifAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

async function works([command = '', ...args]: readonly string[]): Promise<boolean> {
  return await promisify(execFile)(command, args).then(
    () => true,
    () => false,
  );
}

async function run(command: string, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(command, args, { timeout: LIMIT_MS });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} failed:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
  }
}
