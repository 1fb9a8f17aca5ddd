/** The readers of files that are not ours: pyarrow and DuckDB, in an environment of their own. */
import { join } from 'node:path';
import { PythonEnvironment } from '../support/python-environment.ts';

export const READERS = new PythonEnvironment('formats', join(import.meta.dirname, 'requirements.txt'));
