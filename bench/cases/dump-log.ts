/**
 * The dump log at ten million rows against one of a thousand: pages of every order at three depths, filters, exports, and
 * what a commit costs, by itself and while old rows are taken out.
 */
import { join } from 'node:path';
import { sql } from 'kysely';
import { endPlan, insertPlans, type NewLogRow } from '../../src/catalog/dump-log.ts';
import { addLogRows } from '../../src/catalog/dump-tasks.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { openSqliteCatalog } from '../../src/catalog/sqlite/open.ts';
import { LogPruner } from '../../src/dump/dump-log/log-pruner.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { BenchContext } from '../harness/context.ts';
import { interleave } from '../harness/interleave.ts';
import { fillLog, LOG_DAYS, LOG_PARTITIONS } from '../harness/log-fill.ts';
import { peakRss, resetPeakRss } from '../harness/machine.ts';
import { table, verdict, type Section } from '../harness/markdown.ts';
import { Sluice } from '../harness/sluice.ts';
import { median, ratios, ratioSpread, spread } from '../harness/stats.ts';

const SORTS = ['createTimeStr', 'startTime', 'endTime', 'state', 'records', 'readRecords', 'dataSize'] as const;
const DEPTHS = ['first', 'middle', 'last'] as const;
const SMALL_ROWS = 1000;
const LARGE_ROWS = 10_000_000;
const PAGE_ROWS = 10;
/** Requests whose median is one measurement. */
const REQUESTS = 20;
const EXPORTED_ROWS = 200_000;
const MAX_RATIO = 3;
const LINE_FEED = 0x0a;
const DAY_MS = 86_400_000;

interface Log {
  readonly sluice: Sluice;
  readonly taskId: string;
  readonly rows: number;
}

export async function benchDumpLog(context: BenchContext): Promise<Section> {
  const logs: Log[] = [];
  try {
    for (const rows of [SMALL_ROWS, LARGE_ROWS]) {
      context.progress(`log: writing ${rows} rows`);
      logs.push(await openLog(join(context.directory, `data${rows}`), rows));
    }
    const [small, large] = [logs[0]!, logs[1]!];
    const pages = await measurePages(context, small, large);
    const filters = await measureFilters(context, small, large);
    const exports = await measureExports(context, large);
    for (const { sluice } of logs) await sluice.server.kill('SIGTERM');
    const commits = await measureCommits(context, large);
    return { title: 'Dump log', blocks: [...pages, ...filters, ...exports, ...commits] };
  } finally {
    for (const { sluice } of logs) await sluice.server.stop();
  }
}

async function measurePages(context: BenchContext, small: Log, large: Log): Promise<string[]> {
  // Neither server is to pay for its first requests in the first row.
  for (const log of [small, large]) await pageTime(log, { sortBy: SORTS[0], pageInfo: page(1) });
  const rows: string[][] = [];
  let worst = 0;
  for (const sortBy of SORTS) {
    context.progress(`log: by ${sortBy}`);
    const row: string[] = [sortBy];
    for (const depth of DEPTHS) {
      const query = (log: Log) => () => pageTime(log, { sortBy, pageInfo: page(pageAt(log, depth)) });
      const { cells, ratio } = await compare(context, query, small, large);
      worst = Math.max(worst, ratio);
      row.push(...cells);
    }
    rows.push(row);
  }
  const head = DEPTHS.flatMap((depth) => [`${depth}, small`, `${depth}, large`, 'ratio']);
  return [
    `Milliseconds for a page of ${PAGE_ROWS} rows with the count of all rows over HTTP, the largest first; each figure the ` +
      `median of ${REQUESTS} requests in a row. Two servers, one with a log of ${LARGE_ROWS / 1e6} M rows, one with ${SMALL_ROWS}.`,
    table(['order', ...head], rows),
    `Worst ratio: ${worst.toFixed(2)} (${verdict(worst, '≤', MAX_RATIO)}).`,
  ];
}

async function measureFilters(context: BenchContext, small: Log, large: Log): Promise<string[]> {
  const hour = { from: Date.now() - 3_600_000 };
  const filters: Readonly<Record<string, (log: Log) => object>> = {
    'failed ones': () => ({ state: 1 }),
    'failed ones of a partition': () => ({ state: 1, partitionId: '3' }),
    'the last hour': () => hour,
    'a partition in the last hour': () => ({ ...hour, partitionId: '3' }),
    'a partition': () => ({ partitionId: '3' }),
    'a file by its name': ({ taskId }) => ({ fileName: `${taskId}.bench.3.1` }),
    'with dead letters': () => ({ deadLetters: true }),
    'all that were delivered': () => ({ state: 0 }),
  };
  const rows: string[][] = [];
  for (const [name, filterOf] of Object.entries(filters)) {
    context.progress(`log: ${name}`);
    const query = (log: Log) => () => pageTime(log, { filter: filterOf(log) }, 3);
    const { cells } = await compare(context, query, small, large);
    rows.push([name, String(await countOf(large, { filter: filterOf(large) })), ...cells]);
  }
  return [
    'The same for the newest page of what a filter leaves, with its exact count.',
    table(['filter', 'rows, large', 'small', 'large', 'ratio'], rows),
  ];
}

async function measureExports(context: BenchContext, { sluice, taskId }: Log): Promise<string[]> {
  const rows: string[][] = [];
  const from = Date.now() - Math.floor((LOG_DAYS * DAY_MS * EXPORTED_ROWS) / LARGE_ROWS);
  for (const format of ['json', 'csv']) {
    context.progress(`log: export as ${format}`);
    const rates: number[] = [];
    await resetPeakRss(sluice.server.pid);
    for (let round = 0; round < context.repeats; round += 1) {
      const begin = performance.now();
      const answer = await fetch(
        `${sluice.server.baseUrl}/v1/transfertasklog/${taskId}/export?format=${format}&from=${from}`,
        { headers: { 'X-Auth-Token': sluice.token } },
      );
      let lines = 0;
      for await (const piece of answer.body! as AsyncIterable<Uint8Array>) lines += countLines(piece);
      rates.push(lines / ((performance.now() - begin) / 1000));
    }
    rows.push([format, spread(rates), (await peakRss(sluice.server.pid)).toFixed(0)]);
  }
  return [
    `Rows a second of an export of ${EXPORTED_ROWS / 1000} k rows of the large log, and the server's peak RSS meanwhile.`,
    table(['format', 'rows/s', 'RSS, MB'], rows),
  ];
}

function countLines(piece: Uint8Array): number {
  let lines = 0;
  for (let at = piece.indexOf(LINE_FEED); at !== -1; at = piece.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}

async function measureCommits(context: BenchContext, { sluice, taskId }: Log): Promise<string[]> {
  const catalog = await openSqliteCatalog({ path: join(sluice.server.dataDir, 'catalog.db') });
  try {
    const row = async (name: string) => {
      context.progress(`log: commits, ${name}`);
      const times = await commitTimes(catalog, taskId, context.seconds * 1000);
      const at = (part: number) => times[Math.floor((times.length - 1) * part)]!.toFixed(2);
      return [name, String(times.length), at(0.5), at(0.99), at(1)];
    };
    const rows = [await row('alone')];
    const before = await countRows(catalog);
    const pruner = new LogPruner({ catalog, clock: systemClock, days: LOG_DAYS - 10 });
    const begin = performance.now();
    const look = pruner.look();
    const beside = await row('while old rows go');
    pruner.close();
    await look;
    const seconds = (performance.now() - begin) / 1000;
    const rate = (before + Number(beside[1]) - (await countRows(catalog))) / seconds;
    rows.push(beside);
    await dropTriggers(catalog);
    rows.push(await row('without separators kept'));
    return [
      'Milliseconds of the plan and the commit of one file, two transactions with a sync each, in the large log.',
      table(['commits', 'files', 'median', '99 %', 'largest'], rows),
      `Old rows went at ${rate.toFixed(0)} a second.`,
    ];
  } finally {
    await catalog.close();
  }
}

/** In order of size. */
async function commitTimes({ db }: Catalog, taskId: string, ms: number): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + ms;
  for (let count = 0; performance.now() < end; count += 1) {
    const begin = performance.now();
    const plan = newPlan(taskId, count);
    const [id] = await db.transaction().execute(async (transaction) => {
      await addLogRows(transaction, taskId, 1);
      return insertPlans(transaction, [plan]);
    });
    const records = (count * 7919) % 100_000;
    const done = { state: 0, end_time: plan.created_at + 100, records, read_records: records, bytes: records * 1025 };
    await db.transaction().execute((transaction) => endPlan(transaction, id!, done));
    times.push(performance.now() - begin);
  }
  return times.sort((a, b) => a - b);
}

function newPlan(taskId: string, count: number): NewLogRow {
  const now = Date.now();
  const name = `${taskId}.bench.${count % LOG_PARTITIONS}.${now}-${count}`;
  return {
    task_id: taskId,
    task_version: 1,
    partition: count % LOG_PARTITIONS,
    state: 2,
    first_sequence: 0,
    next_sequence: 1,
    created_at: now,
    start_time: now,
    end_time: now,
    read_records: 0,
    records: 0,
    bytes: 0,
    file_name: name,
    bucket: 'bench',
    object_key: name,
    checksum: null,
    etag: null,
    attempt: 1,
    error_code: null,
    cause: null,
    given_up: 0,
  };
}

async function countRows({ db }: Catalog): Promise<number> {
  const { rows } = await sql<{ rows: number }>`select sum(log_rows) as rows from dump_tasks`.execute(db);
  return rows[0]!.rows;
}

async function dropTriggers({ db }: Catalog): Promise<void> {
  const triggers = sql<{ name: string }>`select name from sqlite_master where type = 'trigger'`;
  for (const { name } of (await triggers.execute(db)).rows) await sql`drop trigger ${sql.ref(name)}`.execute(db);
}

async function compare(
  context: BenchContext,
  query: (log: Log) => () => Promise<number>,
  small: Log,
  large: Log,
): Promise<{ readonly cells: string[]; readonly ratio: number }> {
  const results = await interleave(context.repeats, [
    { name: 'small', run: query(small) },
    { name: 'large', run: query(large) },
  ]);
  const [ofSmall, ofLarge] = [results.get('small')!, results.get('large')!];
  const ratio = ratios(ofLarge, ofSmall);
  return { cells: [spread(ofSmall, 2), spread(ofLarge, 2), ratioSpread(ratio)], ratio: median(ratio) };
}

function page(pageIndex: number) {
  return { pageIndex, pageTotal: PAGE_ROWS };
}

function pageAt({ rows }: Log, depth: (typeof DEPTHS)[number]): number {
  const pages = rows / PAGE_ROWS;
  return depth === 'first' ? 1 : depth === 'middle' ? Math.floor(pages / 2) : pages;
}

/** Median ms of a page. */
async function pageTime(log: Log, body: object, requests = REQUESTS): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < requests; count += 1) {
    const begin = performance.now();
    await query(log, body);
    times.push(performance.now() - begin);
  }
  return median(times);
}

async function countOf(log: Log, body: object): Promise<number> {
  return (await query(log, body)).totalNum;
}

async function query({ sluice, taskId }: Log, body: object): Promise<{ readonly totalNum: number }> {
  const { client } = sluice.server;
  const answer = await client.call('POST', `/v1/transfertasklog/${taskId}`, { body, token: sluice.token });
  if (answer.status !== 200) throw new Error(`a page answered ${answer.status}: ${answer.text.slice(0, 200)}`);
  return answer.json as { totalNum: number };
}

/** A server whose only task has a log of `rows` rows. */
async function openLog(dataDir: string, rows: number): Promise<Log> {
  const sluice = await Sluice.start(dataDir);
  try {
    await sluice.createStream('bench', 1);
    const taskId = await sluice.createTask('bench', 'task');
    await sluice.server.kill('SIGTERM');
    await fillLog(join(dataDir, 'catalog.db'), taskId, rows);
    await sluice.server.restart();
    return { sluice, taskId, rows };
  } catch (error) {
    await sluice.server.stop();
    throw error;
  }
}
