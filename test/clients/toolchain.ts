/**
 * Where the real clients are once `install.ts` has fetched them: a Python environment and a folder of jars and classes
 * each, below `node_modules/.cache`. Nothing of them is in the repository but the names and versions.
 */
import { join } from 'node:path';

const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'sluice-clients');

export interface PythonClient {
  readonly requirements: string;
  readonly environment: string;
  readonly python: string;
}

export interface JavaClient {
  readonly pom: string;
  readonly jars: string;
  readonly sources: readonly string[];
  readonly classes: string;
  readonly classPath: string;
}

const source = (...path: string[]): string => join(import.meta.dirname, ...path);

export const PYTHON_DIS = pythonClient('dis');
export const PYTHON_V3 = pythonClient('v3');
export const JAVA_DIS = javaClient('dis', 'Checks.java', 'DisCalls.java', 'DisSdk.java');
export const JAVA_KAFKA = javaClient('kafka', 'Checks.java', 'KafkaGroup.java');

function pythonClient(name: string): PythonClient {
  const environment = join(CACHE, `python-${name}`);
  return {
    requirements: source('python', `${name}-requirements.txt`),
    environment,
    python: join(environment, 'bin', 'python'),
  };
}

function javaClient(name: string, ...sources: readonly string[]): JavaClient {
  const folder = join(CACHE, `java-${name}`);
  const jars = join(folder, 'jars');
  const classes = join(folder, 'classes');
  return {
    pom: source('java', `${name}-pom.xml`),
    jars,
    sources: sources.map((name) => source('java', name)),
    classes,
    classPath: `${classes}:${join(jars, '*')}`,
  };
}
