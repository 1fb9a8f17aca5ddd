/**
 * The API description under other eyes than ours: the meta-schema of OpenAPI 3.1, and schemathesis, which makes requests of
 * its own from the description and holds the answers against it.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DisClient } from '../support/dis-client.ts';
import { PythonEnvironment } from '../support/python-environment.ts';
import { testRounds, testSeed } from '../support/seed.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { KNOWN_VALUES, prepareFixtures } from './fixtures.ts';

const EXAMPLES = testRounds('SLUICE_SCHEMATHESIS_EXAMPLES', 40);
const TOOLS = new PythonEnvironment('fuzz', join(import.meta.dirname, 'requirements.txt'));
const LIMIT_MS = 600_000;
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];
/** They take away what the others work with, or are slow on purpose. */
const LEFT_OUT = ['createToken', 'revokeToken', 'deleteStream', 'deleteApp', 'deleteTransferTask'];

let server: TestServer;
let folder: string;
before(async () => {
  await TOOLS.install();
  folder = await mkdtemp(join(tmpdir(), 'sluice-fuzz-'));
  server = await startServer();
});
after(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

test('the API description is OpenAPI 3.1', async () => {
  const file = join(folder, 'openapi.json');
  await writeFile(file, (await server.client.call('GET', '/openapi.json')).text);
  const { code, output } = await TOOLS.run('python', ['-m', 'openapi_spec_validator', file], LIMIT_MS);
  assert.equal(code, 0, output);
});

test('schemathesis finds nothing', { timeout: LIMIT_MS }, async () => {
  const dis = await DisClient.login(server);
  await prepareFixtures(dis);
  const config = join(folder, 'schemathesis.toml');
  await writeFile(
    config,
    makeConfig(server.projectId, {
      stream_name: KNOWN_VALUES['stream_name'] ?? [],
      stream_id: [(await dis.describe('fuzz-a')).id],
      app_name: KNOWN_VALUES['app_name'] ?? [],
      task_name: KNOWN_VALUES['task_name'] ?? [],
      task_id: [await dis.taskId('fuzz-a', 'fuzz-task')],
      partition_id: ['0', 'shardId-0000000001'],
      group: KNOWN_VALUES['app_name'] ?? [],
      client: KNOWN_VALUES['client'] ?? [],
      'stream-name': KNOWN_VALUES['stream_name'] ?? [],
      'partition-id': ['0'],
      'X-Subject-Token': [dis.token],
    }),
  );
  const { code, output } = await TOOLS.run(
    'schemathesis',
    [
      ...['--config-file', config, 'run', `${server.baseUrl}/openapi.json`],
      ...['--header', `X-Auth-Token: ${dis.token}`],
      ...['--checks', CHECKS.join(',')],
      ...['--phases', 'coverage,fuzzing'],
      ...['--max-examples', String(EXAMPLES)],
      ...['--request-timeout', '15', '--seed', String(testSeed()), '--no-color'],
      ...LEFT_OUT.flatMap((operation) => ['--exclude-operation-id', operation]),
    ],
    LIMIT_MS,
  );
  assert.equal(code, 0, `${output}\n${server.log.slice(-4000)}`);
  assert.doesNotMatch(output, /Authentication failed/, 'its requests come with a token');
  process.stderr.write(`${/^Test cases:\n.*$/m.exec(output)?.[0] ?? output}\n`);
  assert.doesNotMatch(server.log, /"level":[56]0/, 'errors in the log');
  dis.close();
});

/** The project as it is, and for each name values that are mostly chosen, wherever it stands. */
function makeConfig(projectId: string, known: Readonly<Record<string, readonly unknown[]>>): string {
  const dictionaries = Object.entries(known).flatMap(([name, values]) => [
    `[dictionaries.${name}]`,
    `values = ${JSON.stringify(values)}`,
  ]);
  const parameters = Object.keys(known).flatMap((name) =>
    ['path', 'query', 'header', 'body'].map(
      (place) => `"${place}.${name}" = { dictionary = "${name}", probability = 0.9 }`,
    ),
  );
  return [...dictionaries, '[parameters]', `"path.project_id" = "${projectId}"`, ...parameters, ''].join('\n');
}
