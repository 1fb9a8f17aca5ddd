/** The dump log over HTTP: every order, both shapes of pageInfo, defaults, and what is refused. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DisClient, eventually, partitionNumber, toBase64, type LogEntry } from '../../support/dis-client.ts';
import { delivered, STATE } from '../../support/checker.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import type { TwoProjects } from '../../support/two-projects.ts';

export interface DumpLogTarget extends TwoProjects {
  readonly bucket: string;
  /** From now on no file can be written. */
  readonly breakBucket: () => Promise<void>;
  readonly mendBucket: () => Promise<void>;
}

const SORTS: Readonly<Record<string, (entry: LogEntry) => number>> = {
  createTimeStr: ({ createTime }) => createTime,
  startTime: ({ startTime }) => startTime,
  endTime: ({ endTime }) => endTime,
  state: ({ state }) => state,
  records: ({ transferRecordsNum }) => transferRecordsNum,
  readRecords: ({ readRecordsNum }) => readRecordsNum,
  dataSize: ({ transferBytes }) => transferBytes,
};
const ORDERS = ['asc', 'desc'] as const;
const PARTITIONS = 6;

/** The fields of each line, RFC 4180. */
function parseCsv(text: string): string[][] {
  assert.match(text, /\r\n$/);
  const lines: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    lines.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end !== ',') lines.push([]);
  }
  lines.pop();
  return lines;
}

/** The server takes intervals from one second on. */
export function runDumpLogConformance(getTarget: () => DumpLogTarget): void {
  describe('dump log', () => {
    const stream = `l${randomBytes(4).toString('hex')}`;
    let target: DumpLogTarget;
    let dis: DisClient;
    let taskId: string;
    /** The whole log, in the order in which its rows were made. */
    let rows: LogEntry[];

    /** A log of a task that has ended: files of many sizes, of many times, failed attempts among them. */
    before(async () => {
      target = getTarget();
      dis = await DisClient.login(target);
      await dis.createStream(stream, PARTITIONS);
      taskId = await dis.addTask(stream, 'task', { obs_bucket_path: target.bucket });
      const putRound = async (round: number) => {
        const records = Array.from({ length: PARTITIONS }, (_, p) =>
          Array.from({ length: 1 + ((p * 3 + round) % 4) }, (__, i) => ({
            data: toBase64('x'.repeat(1 + ((p * 7 + round * 5 + i) % 11))),
            partition_id: String(p),
          })),
        ).flat();
        await dis.store(stream, records);
      };
      for (let round = 0; round < 2; round += 1) {
        await putRound(round);
        await delivered(dis, stream, 'task');
      }
      await target.breakBucket();
      await putRound(2);
      await eventually('failed attempts', async () => (await failures()) >= PARTITIONS);
      await target.mendBucket();
      await delivered(dis, stream, 'task');
      expectEmpty(await dis.deleteTask(stream, 'task'), 204);
      rows = await dis.wholeLog(taskId);
    });
    after(async () => {
      await dis.deleteStream(stream);
      dis.close();
    });

    const failures = async () => (await dis.wholeLog(taskId)).filter(({ state }) => state === STATE.failed).length;
    const page = async (body?: unknown): Promise<LogEntry[]> => {
      const answer = await dis.log(taskId, body);
      expectJson(answer);
      assert.equal(answer.json.totalNum, rows.length);
      return answer.json.transferTaskLogList as LogEntry[];
    };
    const refused = async (body: unknown, message?: RegExp) =>
      expectError(await dis.log(taskId, body), 400, 'DIS.4300', message);

    /** What tells a row from all others. */
    const keyOf = ({ transferFileName, state, attempt }: LogEntry) => `${transferFileName} ${state} ${attempt}`;
    const keys = (entries: readonly LogEntry[]) => entries.map(keyOf);

    test('the answer has the members of the documents and those of the published example', async () => {
      const { json } = await dis.log(taskId, {});
      const { transferTaskLogList, ...envelope } = json as { transferTaskLogList: LogEntry[] };
      assert.deepEqual(envelope, {
        totalNum: rows.length,
        message: null,
        errorCode: -1,
        isStreamFound: null,
        streamData: null,
        streamDataList: null,
        transferTaskList: null,
        monitorData: null,
      });
      assert.equal(transferTaskLogList.length, 10);
    });

    test('an entry is a delivered file, or a failed attempt with its cause', async () => {
      const { projectId } = dis;
      const { id: streamId } = await dis.describe(stream);
      for (const row of rows) {
        const { checksum, etag, errorCode, cause, attempt, startTime, endTime, createTime, logId, ...rest } = row;
        const delivered = rest.state === STATE.delivered;
        const partition = Number(rest.partitionId.slice(-10));
        const count = Number(rest.lastSequenceNumber) - Number(rest.firstSequenceNumber) + 1;
        const name = `${taskId}.${stream}.${partition}.${createTime}`;
        assert.deepEqual(rest, {
          transferTaskId: taskId,
          state: delivered ? STATE.delivered : STATE.failed,
          destinationType: 'OBS',
          transferBytes: rest.transferBytes,
          transferRecordsNum: delivered ? count : 0,
          transformRecordsNum: 0,
          streamId,
          projectId,
          transferFileName: name,
          num: 0,
          kind: 'delivery',
          partitionId: `shardId-000000000${partition}`,
          firstSequenceNumber: rest.firstSequenceNumber,
          lastSequenceNumber: rest.lastSequenceNumber,
          cutFirstSequenceNumber: rest.firstSequenceNumber,
          cutLastSequenceNumber: rest.lastSequenceNumber,
          cutLogId: logId,
          readRecordsNum: delivered ? count : rest.readRecordsNum,
          bucket: target.bucket,
          objectKey: name,
          path: '',
          periodTime: null,
          taskVersion: 1,
          schemaRevision: 0,
          givenUp: false,
          deadLettersNum: 0,
          deadLetterKey: null,
          deadLetterBytes: null,
          deadLetterChecksum: null,
          sourceLogId: null,
          redrivenByLogId: null,
          mergeLogId: null,
          supersededTime: null,
          removedTime: null,
          manifest: null,
        });
        for (const time of [startTime, endTime, createTime]) assert.match(String(time), /^\d{13}$/);
        assert.ok(startTime <= endTime && createTime <= endTime);
        assert.ok(Number.isInteger(attempt) && attempt >= 1);
        if (delivered) {
          assert.ok(rest.transferBytes > 0 && startTime <= createTime);
          assert.match(String(checksum), /^sha256:[0-9a-f]{64}$/);
          assert.match(String(etag), /^[0-9a-f-]+$/);
          assert.deepEqual([errorCode, cause], [null, null]);
        } else {
          assert.deepEqual([rest.transferBytes, checksum, etag, errorCode], [0, null, null, 'DIS.4310']);
          assert.match(String(cause), /^OBS cannot be accessed\. \[/);
        }
      }
      assert.equal(rows.filter(({ state }) => state === STATE.delivered).length, 3 * PARTITIONS);
    });

    test('without a body, with an empty one and with {}: the newest ten', async () => {
      const newest = keys(rows.toReversed().slice(0, 10));
      for (const body of [undefined, '', {}, { pageInfo: {} }, { pageInfo: [] }, { pageInfo: [{}] }, { more: 1 }]) {
        assert.deepEqual(keys(await page(body)), newest);
      }
      const whole = { order: 'desc', sortBy: 'createTimeStr', pageInfo: { pageIndex: 1, pageTotal: 10 } };
      assert.deepEqual(keys(await page(whole)), newest);
    });

    /** The whole log in one page. */
    const sorted = (sortBy: string, order: string) =>
      page({ order, sortBy, pageInfo: { pageIndex: 1, pageTotal: 1000 } });

    for (const [sortBy, value] of Object.entries(SORTS)) {
      test(`sorted by ${sortBy}, up and down, in pages of any size`, async () => {
        const up = await sorted(sortBy, 'asc');
        const values = up.map(value);
        assert.deepEqual(
          values,
          values.toSorted((a, b) => a - b),
        );
        assert.deepEqual(keys(up).toSorted(), keys(rows).toSorted());
        for (const order of ORDERS) {
          const expected = keys(order === 'asc' ? up : up.toReversed());
          for (const pageTotal of [1, 3, 7, rows.length - 1, rows.length, rows.length + 1, 1000]) {
            const seen: LogEntry[] = [];
            const pages = Math.ceil(rows.length / pageTotal);
            for (let pageIndex = 1; pageIndex <= pages; pageIndex += 1) {
              const entries = await page({ order, sortBy, pageInfo: { pageIndex, pageTotal } });
              assert.equal(entries.length, Math.min(pageTotal, rows.length - seen.length));
              seen.push(...entries);
            }
            assert.deepEqual(keys(seen), expected, `${order}, pages of ${pageTotal}`);
            assert.deepEqual(await page({ order, sortBy, pageInfo: { pageIndex: pages + 1, pageTotal } }), []);
          }
        }
      });
    }

    test('equal values keep one order, that in which the rows were made, whatever is sorted by', async () => {
      const earlier = new Set<string>();
      for (const [sortBy, value] of Object.entries(SORTS)) {
        const up = await sorted(sortBy, 'asc');
        for (const [i, first] of up.entries()) {
          for (const second of up.slice(i + 1).filter((row) => value(row) === value(first))) {
            earlier.add(`${keyOf(first)} < ${keyOf(second)}`);
            assert.ok(!earlier.has(`${keyOf(second)} < ${keyOf(first)}`), sortBy);
            if (first.transferFileName !== second.transferFileName || second.state !== STATE.failed) continue;
            assert.ok(first.state !== STATE.failed || first.attempt < second.attempt, 'attempts are made one by one');
          }
        }
      }
    });

    test('the log has what makes those orders differ', () => {
      for (const [sortBy, value] of Object.entries(SORTS)) {
        assert.ok(new Set(rows.map(value)).size > 1, sortBy);
        assert.ok(new Set(rows.map(value)).size < rows.length || sortBy === 'endTime', sortBy);
      }
    });

    test('pageInfo as the array of the published example', async () => {
      const expected = keys(await page({ pageInfo: { pageIndex: 2, pageTotal: 3 } }));
      for (const pageInfo of [
        [{ pageIndex: 2 }, { pageIndex: 3 }],
        [{ pageIndex: 2 }, { pageTotal: 3 }],
        [{ pageTotal: 3 }, { pageIndex: 2 }],
        [{ pageIndex: 2, pageTotal: 3 }],
        [{ pageIndex: 2, pageTotal: 9 }, { pageTotal: 3 }],
      ]) {
        assert.deepEqual(keys(await page({ pageInfo })), expected, JSON.stringify(pageInfo));
      }
      const one = keys(await page({ pageInfo: { pageIndex: 2 } }));
      assert.deepEqual(one, keys(rows.toReversed().slice(10, 20)));
      assert.deepEqual(keys(await page({ pageInfo: [{ pageIndex: 2 }] })), one);
      assert.deepEqual(keys(await page({ pageInfo: { pageTotal: 2 } })), keys(rows.toReversed().slice(0, 2)));
    });

    test('a page past the end is empty, however far', async () => {
      for (const pageIndex of [rows.length, 1e9, Number.MAX_SAFE_INTEGER]) {
        for (const pageTotal of [10, 1000]) assert.deepEqual(await page({ pageInfo: { pageIndex, pageTotal } }), []);
      }
    });

    /** What a filter leaves of the log, by its own count and in one page. */
    const filtered = async (filter: object, body: object = {}): Promise<LogEntry[]> => {
      const answer = await dis.log(taskId, { pageInfo: { pageTotal: 1000 }, ...body, filter });
      expectJson(answer);
      const { totalNum, transferTaskLogList } = answer.json;
      if (!('pageInfo' in body)) assert.equal(totalNum, transferTaskLogList.length, JSON.stringify(filter));
      return transferTaskLogList as LogEntry[];
    };
    /** Filters with what each of them says, in the words of the log itself. */
    const filters = (): [object, (entry: LogEntry) => boolean][] => {
      const middle = rows[Math.floor(rows.length / 2)]!;
      const { transferFileName: name, createTime, partitionId } = middle;
      const beginning = name.slice(0, -3);
      return [
        [{}, () => true],
        [{ state: 0 }, ({ state }) => state === STATE.delivered],
        [{ state: [1] }, ({ state }) => state === STATE.failed],
        [{ state: [2, 1] }, ({ state }) => state !== STATE.delivered],
        [{ kind: 'delivery' }, () => true],
        [{ kind: ['merge', 'redrive', 'warning'] }, () => false],
        [{ partitionId }, (entry) => entry.partitionId === partitionId],
        [{ partitionId: '3', state: 1 }, (entry) => partitionNumber(entry.partitionId) === 3 && entry.state === 1],
        [{ partitionId: '77' }, () => false],
        [{ from: createTime }, (entry) => entry.createTime >= createTime],
        [{ to: createTime }, (entry) => entry.createTime < createTime],
        [{ from: createTime, to: createTime + 1, state: 0 }, (e) => e.createTime === createTime && e.state === 0],
        [{ fileName: name }, ({ transferFileName }) => transferFileName === name],
        [{ fileName: `${beginning}*` }, ({ transferFileName }) => transferFileName.startsWith(beginning)],
        [{ fileName: beginning }, () => false],
        [{ deadLetters: true }, () => false],
        [{ deadLetters: false, state: 1 }, ({ state }) => state === STATE.failed],
      ];
    };

    test('a filter leaves what it says, in every order, and counts it', async () => {
      for (const [filter, fits] of filters()) {
        for (const [sortBy, value] of Object.entries(SORTS)) {
          const up = (await sorted(sortBy, 'asc')).filter(fits);
          assert.deepEqual(keys(await filtered(filter, { order: 'asc', sortBy })), keys(up), JSON.stringify(filter));
          assert.deepEqual(
            up.map(value),
            up.map(value).toSorted((a, b) => a - b),
          );
        }
        const down = rows.toReversed().filter(fits);
        for (const pageIndex of [1, 2, 1000]) {
          const some = await filtered(filter, { pageInfo: { pageIndex, pageTotal: 5 } });
          assert.deepEqual(keys(some), keys(down.slice((pageIndex - 1) * 5, pageIndex * 5)));
        }
      }
    });

    const exported = (query: Record<string, string | number>, id = taskId) =>
      dis.http.call('GET', `/v1/transfertasklog/${id}/export`, { token: dis.token, query });

    test('an export has every entry of the log, or of the filter, as JSON lines', async () => {
      for (const [filter, fits] of filters()) {
        const members = Object.entries(filter as Record<string, unknown>);
        const query = Object.fromEntries(members.map(([name, value]) => [name, String(value)]));
        const answer = await exported(query);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.headers['content-type'], 'application/x-ndjson');
        const lines = answer.text.split('\n');
        assert.equal(lines.pop(), '');
        assert.deepEqual(
          lines.map((line) => JSON.parse(line)),
          rows.filter(fits),
          JSON.stringify(filter),
        );
      }
    });

    test('an export as CSV has a line of names, and the same values', async () => {
      const answer = await exported({ format: 'csv', state: '1,0' });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8');
      const [names = [], ...lines] = parseCsv(answer.text);
      assert.deepEqual(names, Object.keys(rows[0]!));
      assert.deepEqual(
        lines,
        rows.map((row) => Object.values(row).map((value) => (value === null ? '' : String(value)))),
      );
    });

    test('exports that are refused', async () => {
      for (const query of [
        { format: 'xml' },
        { state: '3' },
        { state: '0,x' },
        { kind: 'delivery,other' },
        { partitionId: 'shard-1' },
        { from: 'now' },
        { to: '-1' },
        { from: '99999999999999999' },
        { fileName: '*' },
        { fileName: 'a*b' },
        { deadLetters: 'yes' },
        // What would be taken for no filter at all.
        { fileName: '' },
        { partitionId: '' },
        { stat: '1' },
        { constructor: '1' },
        { limit: '10' },
      ]) {
        const member = Object.keys(query)[0]!;
        expectError(await exported(query), 400, 'DIS.4200', new RegExp(`\\[${member}\\]`));
      }
      expectError(await exported({}, 'x'.repeat(19)), 400, 'DIS.4354');
      expectError(await exported({}, 'x'), 400, 'DIS.4200');
      expectError(await dis.http.call('GET', `/v1/transfertasklog/${taskId}/export`), 401, 'DIS.4113');
    });

    test('an export has no HEAD: it would be made for nobody', async () => {
      const head = await dis.http.call('HEAD', `/v1/transfertasklog/${taskId}/export`, { token: dis.token });
      assert.deepEqual([head.status, head.text], [404, '']);
    });

    test('filters that are refused', async () => {
      const wrong: [unknown, string][] = [
        ['x', 'filter'],
        [[], 'filter'],
        [null, 'filter'],
        [{ status: 0 }, 'filter.status'],
        [{ constructor: 0 }, 'filter.constructor'],
        ...[3, '0', null, [], [0, 3], {}].map((state): [unknown, string] => [{ state }, 'filter.state']),
        ...['other', 0, null, [], ['delivery', 'x']].map((kind): [unknown, string] => [{ kind }, 'filter.kind']),
        ...[0, 'x', '', null].map((partitionId): [unknown, string] => [{ partitionId }, 'filter.partitionId']),
        ...[-1, 1.5, '0', null, 2 ** 53].map((from): [unknown, string] => [{ from }, 'filter.from']),
        ...[-1, 'x', null].map((to): [unknown, string] => [{ to }, 'filter.to']),
        ...['', '*', 'a*b', 'a**', 7, null, 'x'.repeat(1025)].map((fileName): [unknown, string] => [
          { fileName },
          'filter.fileName',
        ]),
        ...[0, 'true', null].map((deadLetters): [unknown, string] => [{ deadLetters }, 'filter.deadLetters']),
      ];
      for (const [filter, member] of wrong) {
        await refused({ filter }, new RegExp(`\\[${member.replace('.', '\\.')}\\]`));
      }
      await filtered({ fileName: 'x'.repeat(1024) });
    });

    test('bodies that are refused', async () => {
      for (const body of ['{', 'x', '[]', '7', '"x"', 'null', Buffer.from([0x22, 0xff, 0x22])]) await refused(body);
      for (const order of ['ASC', 'up', '', 7, null, ['asc']]) await refused({ order }, /\[order\]/);
      for (const sortBy of ['createTime', 'STATE', '', 'id', 'created_at', 'constructor', 7, null, ['state']]) {
        await refused({ sortBy }, /\[sortBy\]/);
      }
      for (const pageInfo of ['1', 7, null, true, [7], [null], [[{}]]]) await refused({ pageInfo }, /\[pageInfo/);
      for (const wrong of [0, -1, 1.5, '1', null, true, 2 ** 53, 1e300]) {
        await refused({ pageInfo: { pageIndex: wrong } }, /\[pageInfo\.pageIndex\]/);
        await refused({ pageInfo: { pageTotal: wrong } }, /\[pageInfo\.pageTotal\]/);
        await refused({ pageInfo: [{ pageIndex: 1 }, { pageIndex: wrong }] }, /\[pageInfo\.pageTotal\]/);
      }
      await refused(
        { pageInfo: { pageTotal: 1001 } },
        /\[pageInfo\.pageTotal\]\[must be a whole number from 1 to 1000\]/,
      );
    });

    test('ids that are none, tasks that there are not, and callers without a token', async () => {
      for (const wrong of ['x', 'x'.repeat(18), 'x'.repeat(20), `${'x'.repeat(18)}-`, `${'x'.repeat(18)}%20`]) {
        expectError(await dis.log(wrong, {}), 400, 'DIS.4200', /\[task_id\]/);
      }
      expectError(await dis.log('x'.repeat(19), {}), 400, 'DIS.4354', /\[x{19}\]$/);
      // A bad body is told first or the id is: either way the request is refused.
      assert.equal((await dis.log('x'.repeat(19), { order: 'up' })).status, 400);
      const path = `/v1/transfertasklog/${taskId}`;
      expectError(await dis.http.call('POST', path, { body: {} }), 401, 'DIS.4113');
      expectError(await dis.http.call('POST', path, { body: {}, token: 'x' }), 401, 'DIS.4114');
      for (const method of ['GET', 'PUT', 'DELETE']) {
        expectError(await dis.http.call(method, path, { token: dis.token }), 404, 'DIS.4200');
      }
    });

    test('a task of another project is answered like one that there is not', async (t) => {
      const other = await DisClient.login(target, { projectId: target.otherProjectId });
      t.after(() => other.close());
      expectError(
        await other.log(taskId, {}),
        400,
        'DIS.4354',
        new RegExp(`^Transfer task does not exist\\. \\[${taskId}\\]$`),
      );
      await other.createStream(stream);
      const own = await other.addTask(stream, 'task', { obs_bucket_path: target.bucket });
      expectError(await dis.log(own, {}), 400, 'DIS.4354');
      const empty = await other.log(own);
      expectJson(empty);
      assert.equal(empty.json.totalNum, 0);
      assert.deepEqual(empty.json.transferTaskLogList, []);
      await other.deleteStream(stream);
    });
  });
}
