/**
 * Tasks of every form on one stream (compressed, CSV, Parquet, directories by fields and by the records' own time, merges,
 * manifests, dead letters), with backfills, redrives and edits under way, while the process is killed at random moments.
 * In the end every record is in exactly one file or dead letter of each task, by the bytes of the bucket alone, and
 * `verify` finds nothing.
 *
 *     SLUICE_TEST_SEED=…            the same choices again (the machine's own timing aside)
 *     SLUICE_FILES_CRASH_ROUNDS=…   kills
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readFolder } from '../support/buckets.ts';
import { delivered, STATE } from '../support/checker.ts';
import { DisClient, entriesOf, eventually, toBase64 } from '../support/dis-client.ts';
import { readFile } from '../support/file-records.ts';
import { seededFraction } from '../support/random.ts';
import { testRounds, testSeed } from '../support/seed.ts';
import { startServer } from '../support/server.ts';

const SEED = testSeed();
const ROUNDS = testRounds('SLUICE_FILES_CRASH_ROUNDS', 8);
const STREAM = 'events';
const PARTITIONS = 3;
const COUNTRIES = ['DE', 'FR', 'CÔTE D’IVOIRE', '../up', ''];
const SCHEMA = JSON.stringify({
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'country', type: ['null', 'string'] },
  ],
});
const OWN_TIME = { processing_schema: { timestamp_name: 'at', timestamp_type: 'Timestamp' } };
/** Directories of a minute, all of them long over: each is complete as soon as its records are through. */
const MINUTES = { ...OWN_TIME, partition_format: 'yyyy/MM/dd/HH/mm', merge_size: 1, manifest: true };
const TASKS: Readonly<Record<string, object>> = {
  lines: { compression_format: 'gzip', ...MINUTES },
  fields: { compression_format: 'zstd', path_template: 'country={$.country}/{yyyy}/{MM}/{dd}/{HH}/{mm}', ...OWN_TIME },
  tables: { destination_file_type: 'parquet', ...MINUTES },
  sheets: { destination_file_type: 'csv', data_schema: SCHEMA, compression_format: 'gzip', ...MINUTES },
};

test('files of every form, killed under load: each record in exactly one of them', async (t) => {
  const fraction = seededFraction(SEED);
  const pick = (count: number) => Math.floor(fraction() * count);
  const server = await startServer({ env: { SLUICE_RECORD_LOG_SEGMENT_BYTES: String(1024 * 1024) } });
  t.after(() => server.stop());
  let dis = await DisClient.login(server);
  t.after(() => dis.close());
  await dis.createStream(STREAM, PARTITIONS, { data_type: 'JSON' });
  for (const [task, settings] of Object.entries(TASKS)) {
    await dis.addTask(STREAM, task, { file_prefix: task, ...settings });
  }

  const base = Date.now() - 3_600_000;
  let next = 0;
  /** One record in eight has no time to go by: a dead letter of every task. */
  const record = () => {
    const id = (next += 1);
    const at = id % 8 === 0 ? 'never' : base + pick(5) * 60_000 + pick(60_000);
    return JSON.stringify({ id, country: COUNTRIES[pick(COUNTRIES.length)], at, filler: 'x'.repeat(pick(300)) });
  };
  const putSome = async () => {
    const records = Array.from({ length: 1 + pick(40) }, () => ({
      data: toBase64(record()),
      partition_key: String(pick(1000)),
    }));
    const answer = await dis.put(STREAM, records).catch(() => undefined);
    if (answer !== undefined && answer.status === 200) entriesOf(answer);
  };
  const backfills: string[] = [];
  const act = async () => {
    const task = Object.keys(TASKS)[pick(4)]!;
    const path = `/streams/${STREAM}/transfer-tasks/${task}`;
    const what = pick(4);
    if (what === 0 && backfills.length < 4) {
      const body = { file_prefix: `again_${task}_${backfills.length}` };
      const answer = await dis.call('POST', `${path}/backfills`, { body });
      if (answer.status === 201) backfills.push((answer.json as { backfill_id: string }).backfill_id);
    } else if (what === 1) await dis.call('POST', `${path}/redrive`);
    else if (what === 2)
      await dis.changeTasks(STREAM, fraction() < 0.5 ? 'stop' : 'start', await dis.taskId(STREAM, task));
    else await putSome();
  };

  for (let round = 0; round < ROUNDS; round += 1) {
    if (round > 0) await server.restart();
    dis = dis.at(server.baseUrl);
    let over = false;
    const busy = Array.from({ length: 2 }, async () => {
      // Whatever is refused or cut off is: what counts is what is there in the end.
      while (!over) await (fraction() < 0.8 ? putSome() : act().catch(() => undefined));
    });
    await new Promise((resolve) => setTimeout(resolve, 500 + fraction() * 2500));
    assert.equal(await server.kill('SIGKILL'), 'SIGKILL');
    over = true;
    await Promise.all(busy);
  }
  await server.restart();
  dis = dis.at(server.baseUrl);
  await putSome();

  const ids = new Map<string, string>();
  for (const task of Object.keys(TASKS)) {
    const id = await dis.taskId(STREAM, task);
    await dis.changeTasks(STREAM, 'start', id);
    ids.set(id, task);
  }
  for (const task of Object.keys(TASKS)) await delivered(dis, STREAM, task);
  for (const id of backfills) ids.set(id, 'backfill');
  await eventually('nothing is under way', async () => {
    for (const id of ids.keys()) {
      const log = await dis.wholeLog(id);
      if (log.some(({ state }) => state === STATE.planned)) return false;
      if (log.some(({ supersededTime, removedTime }) => supersededTime !== null && removedTime === null)) return false;
    }
    return true;
  });

  const stored = new Set<number>();
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    for (const { data } of await dis.readAll(STREAM, partition)) {
      stored.add((JSON.parse(Buffer.from(data, 'base64').toString()) as { id: number }).id);
    }
  }
  assert.ok(stored.size > 100);

  const objects = await readFolder(join(server.dataDir, 'objects', 'bucket'));
  let files = 0;
  let merged = 0;
  for (const [id, task] of ids) {
    const seen = new Map<number, number>();
    const see = (number: number) => seen.set(number, (seen.get(number) ?? 0) + 1);
    const log = (await dis.wholeLog(id)).filter(({ state }) => state === STATE.delivered);
    for (const row of log.filter(({ objectKey, supersededTime }) => objectKey !== '' && supersededTime === null)) {
      files += 1;
      if (row.kind === 'merge') merged += 1;
      const records = await readFile(row.objectKey, objects.get(row.objectKey)!);
      assert.equal(records.length, row.transferRecordsNum, row.objectKey);
      for (const found of records) see(Number(found['id']));
    }
    for (const row of log.filter(({ deadLettersNum }) => deadLettersNum > 0)) {
      const text = objects.get(row.deadLetterKey!)!.toString();
      const letters = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { payload: string });
      assert.equal(letters.length, row.deadLettersNum);
      // What a redrive has taken is told by the redrive's own rows.
      if (row.redrivenByLogId !== null) continue;
      for (const { payload } of letters) see((JSON.parse(payload) as { id: number }).id);
    }
    if (task !== 'backfill')
      assert.deepEqual([...seen.keys()].toSorted(ascending), [...stored].toSorted(ascending), task);
    assert.deepEqual(
      [...seen].filter(([, count]) => count !== 1),
      [],
      `${task}: each record once`,
    );

    const path = `/v1/transfertasklog/${id}/verify?contents=true&records=true`;
    const { text } = await dis.http.call('POST', path, { token: dis.token });
    const verdict = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { summary?: { findings: number } });
    assert.equal(verdict.at(-1)?.summary?.findings, 0, `${task}: ${text}`);
  }
  t.diagnostic(
    `seed ${SEED}: ${ROUNDS} kills, ${stored.size} records in ${ids.size} tasks, ${files} files, ${merged} of them merged`,
  );
});

function ascending(a: number, b: number): number {
  return a - b;
}
