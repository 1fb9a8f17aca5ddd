/** Pages of a dump log of a million rows, against the same pages of a log of a thousand, by every sort in both directions. */
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { BenchContext } from '../harness/context.ts';
import { interleave } from '../harness/interleave.ts';
import { peakRss } from '../harness/machine.ts';
import { table, verdict, type Section } from '../harness/markdown.ts';
import { Sluice } from '../harness/sluice.ts';
import { median, ratios, ratioSpread, spread } from '../harness/stats.ts';

const SORTS = ['createTimeStr', 'startTime', 'endTime', 'state', 'records', 'readRecords', 'dataSize'] as const;
const ORDERS = ['desc', 'asc'] as const;
const SMALL_ROWS = 1000;
const LARGE_ROWS = 1_000_000;
const PAGE_ROWS = 10;
/** The small log has no page 1,000: its last one stands in. */
const PAGES = { first: { small: 1, large: 1 }, deep: { small: SMALL_ROWS / PAGE_ROWS, large: 1000 } } as const;
/** Requests whose median is one measurement. */
const REQUESTS = 30;

interface Log {
  readonly sluice: Sluice;
  readonly taskId: string;
}

export async function benchDumpLog(context: BenchContext): Promise<Section> {
  const logs: Log[] = [];
  try {
    for (const rows of [SMALL_ROWS, LARGE_ROWS]) {
      context.progress(`log: writing ${rows} rows`);
      logs.push(await openLog(join(context.directory, `data${rows}`), rows));
    }
    return await measure(context, logs[0]!, logs[1]!);
  } finally {
    for (const { sluice } of logs) await sluice.server.stop();
  }
}

async function measure(context: BenchContext, small: Log, large: Log): Promise<Section> {
  // Neither server is to pay for its first requests in the first row.
  for (const log of [small, large]) await pageTime(log, { order: 'desc', sortBy: SORTS[0], pageIndex: 1 });
  const rows: string[][] = [];
  const worst = { first: 0, deep: 0 };
  for (const sortBy of SORTS) {
    context.progress(`log: by ${sortBy}`);
    for (const order of ORDERS) {
      const row = [`${sortBy} ${order}`];
      for (const page of ['first', 'deep'] as const) {
        const query = (log: Log, pageIndex: number) => () => pageTime(log, { order, sortBy, pageIndex });
        const results = await interleave(context.repeats, [
          { name: 'small', run: query(small, PAGES[page].small) },
          { name: 'large', run: query(large, PAGES[page].large) },
        ]);
        const [ofSmall, ofLarge] = [results.get('small')!, results.get('large')!];
        const ratio = ratios(ofLarge, ofSmall);
        worst[page] = Math.max(worst[page], median(ratio));
        row.push(spread(ofSmall, 2), spread(ofLarge, 2), ratioSpread(ratio));
      }
      rows.push(row);
    }
  }
  const rss = await peakRss(large.sluice.server.pid);
  return {
    title: 'Dump log',
    blocks: [
      `Milliseconds for a page of ${PAGE_ROWS} rows over HTTP; each figure the median of ${REQUESTS} requests in a row. Two servers, one ` +
        `with a log of ${LARGE_ROWS / 1e6} M rows, one with ${SMALL_ROWS}.`,
      table(
        ['order', 'page 1, small', 'page 1, large', 'ratio', 'page 100, small', 'page 1,000, large', 'ratio'],
        rows,
      ),
      `Page 1, worst ratio: ${worst.first.toFixed(2)} (${verdict(worst.first, '≤', 2)}). Page 1,000: ${worst.deep.toFixed(2)}. ` +
        `Peak RSS with the large log: ${rss.toFixed(0)} MB (${verdict(rss, '≤', 300, ' MB')}).`,
    ],
  };
}

/** Median ms of a page. */
async function pageTime({ sluice, taskId }: Log, query: { order: string; sortBy: string; pageIndex: number }) {
  const { order, sortBy, pageIndex } = query;
  const body = { order, sortBy, pageInfo: { pageIndex, pageTotal: PAGE_ROWS } };
  const times: number[] = [];
  for (let count = 0; count < REQUESTS; count += 1) {
    const begin = performance.now();
    const answer = await sluice.server.client.call('POST', `/v1/transfertasklog/${taskId}`, {
      body,
      token: sluice.token,
    });
    times.push(performance.now() - begin);
    const { transferTaskLogList: list } = answer.json as { transferTaskLogList: unknown[] };
    if (list.length !== PAGE_ROWS) throw new Error(`a page of ${list.length} rows: ${answer.text.slice(0, 200)}`);
  }
  return median(times);
}

/** A server whose only task has a log of `rows` rows. */
async function openLog(dataDir: string, rows: number): Promise<Log> {
  const sluice = await Sluice.start(dataDir);
  try {
    await sluice.createStream('bench', 1);
    const taskId = await sluice.createTask('bench', 'task');
    await sluice.server.kill('SIGTERM');
    const catalog = sluice.openCatalog(false);
    writeRows(catalog, taskId, rows);
    catalog.close();
    await sluice.server.restart();
    return { sluice, taskId };
  } catch (error) {
    await sluice.server.stop();
    throw error;
  }
}

/** Rows as months of deliveries leave them: times rise, sizes vary, few fail. Indexes are made afterwards, which is quicker. */
function writeRows(catalog: DatabaseSync, taskId: string, rows: number): void {
  const indexes = catalog
    .prepare(`select name, sql from sqlite_master where type = 'index' and tbl_name = 'dump_log' and sql is not null`)
    .all() as { name: string; sql: string }[];
  catalog.exec('pragma synchronous = off; pragma cache_size = -200000; begin');
  for (const { name } of indexes) catalog.exec(`drop index ${name}`);
  const insert = catalog.prepare(`insert into dump_log
    (task_id, task_version, partition, state, first_sequence, next_sequence, created_at, start_time, end_time,
     read_records, records, bytes, file_name, bucket, object_key, checksum, etag, attempt, error_code, cause, given_up)
    values (?, 1, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'bench', ?, ?, ?, 1, ?, ?, 0)`);
  const begin = Date.now() - rows * 30_000;
  for (let row = 0; row < rows; row += 1) {
    const failed = row % 100 === 99;
    const records = (row * 7919) % 100_000;
    const created = begin + row * 30_000;
    const name = `${taskId}.bench.0.${created}`;
    insert.run(
      taskId,
      failed ? 1 : 0,
      row * 100_000,
      row * 100_000 + 100_000,
      created,
      created - 30_000,
      created + (records % 5000),
      records,
      failed ? 0 : records,
      failed ? 0 : records * 1025,
      name,
      `prefix/${name}`,
      failed ? null : `sha256:${'0'.repeat(64)}`,
      failed ? null : `${records}-00000000`,
      failed ? 'DIS.4310' : null,
      failed ? 'the store did not answer' : null,
    );
  }
  for (const { sql } of indexes) catalog.exec(sql);
  catalog.prepare('update dump_tasks set log_rows = ? where task_id = ?').run(rows, taskId);
  catalog.exec('commit; pragma wal_checkpoint(truncate)');
}
