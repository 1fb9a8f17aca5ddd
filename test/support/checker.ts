/**
 * What must be true of a server that was left in peace long enough, whatever happened to it before:
 *
 *   records   every acknowledged record is readable where its answer said, and nothing is there that nobody put;
 *   delivery  every record of a stream is in exactly one committed file, in order, and the dump log equals the bucket.
 *
 * The checks know nothing but answers of the API and the bytes of the bucket.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { eventually, partitionNumber, type DisClient, type LogEntry, type Place } from './dis-client.ts';
import { expectJson } from './expect.ts';

export interface Acknowledged extends Place {
  readonly data: string;
}

export interface PutHistory {
  /** Records whose put was answered with a place. */
  readonly acknowledged: readonly Acknowledged[];
  /** Payloads, each unlike all others, of puts that got no answer: each may be there once or not at all. */
  readonly unanswered: readonly string[];
  /** What is known of a put of which the server said that nothing was stored. */
  refusalOf?(data: string): unknown;
}

/** The payloads of each partition, from record 0 on. */
export type StreamContent = readonly (readonly string[])[];

/** Reads a whole stream none of whose records has expired. */
export async function readStream(dis: DisClient, stream: string): Promise<StreamContent> {
  const { partitions } = await dis.describe(stream);
  const content: string[][] = [];
  for (const partition of partitions.keys()) {
    const records = await dis.readAll(stream, partition);
    records.forEach(({ sequence_number }, i) => assert.equal(sequence_number, String(i), `partition ${partition}`));
    content.push(records.map(({ data }) => Buffer.from(data, 'base64').toString('latin1')));
    const range = partitions[partition]?.sequence_number_range;
    assert.equal(range, `[0 : ${records.length}]`, `partition ${partition}`);
  }
  return content;
}

/** Payloads are compared as they are, so they must be Latin-1 text. */
export function checkRecords(content: StreamContent, history: PutHistory): void {
  const { acknowledged, unanswered } = history;
  const explained = content.map((records) => new Array<boolean>(records.length).fill(false));
  for (const { partition, sequence, data } of acknowledged) {
    const there = content[partition]?.[sequence];
    assert.ok(there === data, `acknowledged record ${sequence} of partition ${partition} is ${there?.slice(0, 60)}`);
    assert.ok(!explained[partition]![sequence], `record ${sequence} of partition ${partition} acknowledged twice`);
    explained[partition]![sequence] = true;
  }
  const possible = new Set(unanswered);
  assert.equal(possible.size, unanswered.length, 'payloads must differ');
  content.forEach((records, partition) =>
    records.forEach((data, sequence) => {
      if (explained[partition]![sequence]) return;
      // Each of them is taken once: a second one of the same is one too many.
      assert.ok(
        possible.delete(data),
        `record ${sequence} of partition ${partition}: ${data.slice(0, 60)} was not put: ${JSON.stringify(history.refusalOf?.(data))}`,
      );
    }),
  );
}

export interface Delivery {
  readonly taskId: string;
  readonly streamName: string;
  /** What follows every record, perhaps of one file only. */
  readonly delimiter: string | ((file: LogEntry) => string);
  readonly content: StreamContent;
  /** Where the task began in each partition; 0 when absent. */
  readonly starts?: readonly number[];
  /** The whole log of the task. */
  readonly log: readonly LogEntry[];
  /** Everything below the task's prefix in the bucket. */
  readonly objects: ReadonlyMap<string, Buffer>;
}

export const STATE = { delivered: 0, failed: 1, planned: 2 } as const;

/** The task has nothing left to deliver. */
export function checkDelivery(delivery: Delivery): void {
  const { log, content, starts = [], objects } = delivery;
  const committed = log.filter(({ state }) => state === STATE.delivered);
  const ended = log.filter(({ state, givenUp }) => state === STATE.delivered || givenUp);
  assert.deepEqual(
    log.filter(({ state }) => state !== STATE.delivered && state !== STATE.failed),
    [],
    'nothing is planned any more',
  );
  assert.deepEqual(
    committed.map(({ objectKey }) => objectKey).toSorted(),
    [...objects.keys()].toSorted(),
    'log = bucket',
  );

  content.forEach((records, partition) => {
    const own = ended.filter(({ partitionId }) => partitionNumber(partitionId) === partition);
    let position = starts[partition] ?? 0;
    let lastTime = -1;
    for (const entry of own.toSorted((a, b) => Number(a.firstSequenceNumber) - Number(b.firstSequenceNumber))) {
      const first = Number(entry.firstSequenceNumber);
      const next = Number(entry.lastSequenceNumber) + 1;
      assert.equal(first, position, `partition ${partition}: no gap, no overlap: ${JSON.stringify(entry)}`);
      assert.ok(next > first, `partition ${partition}: no empty file`);
      assert.ok(entry.createTime > lastTime, `partition ${partition}: names increase`);
      if (entry.state === STATE.delivered) checkFile(delivery, entry, records.slice(first, next));
      position = next;
      lastTime = entry.createTime;
    }
    assert.equal(position, records.length, `partition ${partition}: delivered up to the end`);
  });
  checkAttempts(log, ended);
}

function checkFile(
  { taskId, streamName, delimiter, objects }: Delivery,
  entry: LogEntry,
  records: readonly string[],
): void {
  const what = entry.objectKey;
  const object = objects.get(entry.objectKey);
  assert.ok(object !== undefined, what);
  const end = typeof delimiter === 'string' ? delimiter : delimiter(entry);
  const expected = Buffer.from(records.map((data) => data + end).join(''), 'latin1');
  assert.ok(object.equals(expected), `${what}: exactly its records, in order`);
  assert.equal(entry.transferBytes, object.length, what);
  assert.equal(entry.transferRecordsNum, records.length, what);
  assert.equal(entry.readRecordsNum, records.length, what);
  assert.equal(entry.checksum, `sha256:${createHash('sha256').update(object).digest('hex')}`, what);
  assert.equal(entry.transferTaskId, taskId);
  const name = `${taskId}.${streamName}.${partitionNumber(entry.partitionId)}.${entry.createTime}`;
  assert.equal(entry.transferFileName, name);
  assert.ok(entry.objectKey === name || entry.objectKey.endsWith(`/${name}`), what);
  assert.ok(entry.startTime <= entry.endTime, what);
  assert.equal(entry.errorCode, null);
  assert.equal(entry.cause, null);
}

/** Every failed attempt belongs to a file that was committed or given up in the end, with a cause and the next number. */
function checkAttempts(log: readonly LogEntry[], ended: readonly LogEntry[]): void {
  const byName = Map.groupBy(log, ({ transferFileName }) => transferFileName);
  assert.equal(byName.size, ended.length, 'one end a file');
  for (const [name, entries] of byName) {
    const attempts = entries.map(({ attempt }) => attempt).toSorted((a, b) => a - b);
    assert.deepEqual(
      attempts,
      attempts.map((_, i) => i + 1),
      name,
    );
    const end = entries.find((entry) => ended.includes(entry));
    assert.equal(end?.attempt, attempts.length, `${name}: the last attempt is its end`);
    for (const entry of entries) {
      if (entry.state !== STATE.failed) continue;
      assert.match(entry.errorCode ?? '', /^DIS\.\d{4}$/);
      assert.ok(entry.cause, name);
      assert.equal(entry.transferBytes, 0);
      assert.equal(entry.transferRecordsNum, 0);
    }
  }
}

interface Progress {
  readonly state: string;
  readonly partitions: readonly { readonly last_transfer_offset: number }[];
}

/** Waits until a task has delivered everything that is in its stream, and shows itself well. */
export async function delivered(dis: DisClient, stream: string, task: string, patienceMs?: number): Promise<void> {
  await eventually(
    `task ${task} is done`,
    async () => {
      const { partitions } = await dis.describe(stream);
      const shown = await dis.showTask(stream, task);
      expectJson(shown);
      const ends = partitions.map(({ sequence_number_range }) => Number(/: (\d+)\]/.exec(sequence_number_range)?.[1]));
      const { state, partitions: progress } = shown.json as Progress;
      return { state, ends, positions: progress.map(({ last_transfer_offset }) => last_transfer_offset) };
    },
    ({ state, ends, positions }) => state === 'RUNNING' && ends.every((end, i) => positions[i] === end),
    patienceMs,
  );
}
