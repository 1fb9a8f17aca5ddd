/**
 * `npm run test:cluster`: the tests of this folder, which start what they break themselves; then the conformance suite
 * against a server whose records are in Kafka (three brokers) and whose catalog is in PostgreSQL, both started here; then the
 * tests of whatever uses a catalog, on the same PostgreSQL. Names of tests as arguments (`records` for records.test.ts): only those.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { startKafka } from '../support/kafka-cluster.ts';
import { startPostgres } from '../support/postgres.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Files that are about what a single machine keeps in its data directory, or how one process ends and starts. */
const OF_ONE_MACHINE: ReadonlySet<string> = new Set([
  'http.test.ts',
  'signatures.test.ts',
  'storage.test.ts',
  'tls.test.ts',
]);

const wanted = process.argv.slice(2);
const conformance = chosen('test/conformance/*.test.ts').filter((file) => !OF_ONE_MACHINE.has(basename(file)));
const own = chosen('test/cluster/*.test.ts');
/** Nearly all that a catalog is asked for. */
const ofCatalog = wanted.length > 0 ? [] : chosen('src/{catalog,dump,apps,auth,streams,metrics}/**/*.test.ts');

let failed = await runTests(own, 1, {});
if (conformance.length + ofCatalog.length > 0) {
  const kafka = await startKafka({ brokers: 3 });
  const postgres = await startPostgres();
  try {
    const backend = {
      SLUICE_TEST_BACKEND: 'cluster',
      SLUICE_TEST_KAFKA: kafka.bootstrap.join(','),
      SLUICE_TEST_POSTGRES_URL: postgres.url,
    };
    failed = (await runTests(conformance, 2, backend)) || failed;
    const catalog = { SLUICE_TEST_CATALOG: 'postgres', SLUICE_TEST_POSTGRES_URL: postgres.url };
    failed = (await runTests(ofCatalog, 2, catalog)) || failed;
  } finally {
    await Promise.all([kafka.stop(), postgres.stop()]);
  }
}
process.exit(failed ? 1 : 0);

function chosen(pattern: string): string[] {
  const files = globSync(pattern, { cwd: ROOT }).toSorted();
  return wanted.length === 0 ? files : files.filter((file) => wanted.includes(basename(file, '.test.ts')));
}

/** Whether any failed. */
async function runTests(
  files: readonly string[],
  concurrency: number,
  env: Readonly<Record<string, string>>,
): Promise<boolean> {
  if (files.length === 0) return false;
  const options = ['--test', `--test-concurrency=${concurrency}`, '--test-timeout=900000'];
  const child = spawn(process.execPath, [...options, ...files], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return code !== 0;
}
