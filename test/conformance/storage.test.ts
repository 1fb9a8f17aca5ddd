import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkDelivery, delivered } from '../support/checker.ts';
import { readFolder } from '../support/buckets.ts';
import { DisClient, toBase64 } from '../support/dis-client.ts';
import { expectError } from '../support/expect.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { runStorageConformance } from './suites/storage.ts';

let server: TestServer;
before(async () => {
  server = await startServer({
    env: {
      SLUICE_RECORD_LOG_SEGMENT_BYTES: String(1024 * 1024),
      SLUICE_RECORD_LOG_RETENTION_CHECK_SECONDS: '1',
      SLUICE_LOG_LEVEL: 'error',
    },
  });
});
after(() => server.stop());

const logFiles = async (): Promise<string[]> => {
  const folder = join(server.dataDir, 'log');
  return (await readdir(folder)).map((name) => join(folder, name)).toSorted();
};

runStorageConformance(() => ({
  baseUrl: server.baseUrl,
  credentials: server.credentials,
  async restart(how) {
    await server.kill(how);
    await server.restart();
    return server.baseUrl;
  },
  async logBytes() {
    let sum = 0;
    for (const path of await logFiles()) sum += (await stat(path).catch(() => undefined))?.size ?? 0;
    return sum;
  },
}));

test('a record damaged on disk is told and never served; what is around it is read and delivered', async (t) => {
  let dis = await DisClient.login(server);
  t.after(() => dis.close());
  await dis.createStream('hurt');
  const texts = Array.from({ length: 7 }, (_, i) => `payload number ${i}`);
  for (const text of texts) await dis.store('hurt', [{ data: toBase64(text) }]);
  await server.kill('SIGTERM');
  await flipByteAfter(texts[3]!);
  await server.restart();
  dis = dis.at(server.baseUrl);

  const cursorAt = (n: number) => dis.cursor('hurt', 0, { 'starting-sequence-number': n });
  const { records, next } = await dis.page(await cursorAt(0));
  assert.deepEqual(
    records.map(({ data }) => Buffer.from(data, 'base64').toString()),
    texts.slice(0, 3),
  );
  for (const cursor of [next, await cursorAt(3)]) {
    expectError(await dis.get(cursor), 500, 'DIS.5003', /\[hurt\]\[shardId-0000000000\]\[3\]\[4\]$/);
  }
  const behind = await dis.page(await cursorAt(4));
  assert.deepEqual(
    behind.records.map(({ sequence_number }) => sequence_number),
    ['4', '5', '6'],
  );

  const taskId = await dis.addTask('hurt', 'task');
  await delivered(dis, 'hurt', 'task');
  const log = await dis.wholeLog(taskId);
  const given = log.filter(({ givenUp }) => givenUp);
  assert.deepEqual(
    given.map(({ state, firstSequenceNumber, lastSequenceNumber, errorCode }) => [
      state,
      firstSequenceNumber,
      lastSequenceNumber,
      errorCode,
    ]),
    [[1, '3', '3', 'DIS.5003']],
  );
  assert.match(given[0]?.cause ?? '', /damaged/);
  const objects = await readFolder(join(server.dataDir, 'objects', 'bucket'));
  checkDelivery({ taskId, streamName: 'hurt', delimiter: '\n', content: [texts], log, objects });
  const shown = (await dis.showTask('hurt', 'task')).json as { state: string; partitions: { discard: number }[] };
  assert.equal(shown.partitions[0]?.discard, 1);
});

/** Changes one byte in the middle of where `text` is in the log. */
async function flipByteAfter(text: string): Promise<void> {
  for (const path of await logFiles()) {
    const bytes = await readFile(path);
    const at = bytes.indexOf(text);
    if (at < 0) continue;
    bytes[at + 4]! ^= 1;
    await writeFile(path, bytes);
    return;
  }
  throw new Error(`${text} is not in the log`);
}
