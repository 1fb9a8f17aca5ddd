/**
 * The main job on real data, end to end: 20,000 flights go into a stream, a dump task delivers them as files, the dump log
 * accounts for every file, and each row is looked for in the bucket. `npm run demo`; ends by itself.
 */
import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { styleText } from 'node:util';
import { DemoApi, type LogEntry } from './api.ts';
import { checkDelivery } from './check.ts';
import { Progress } from './progress.ts';
import { startDemoServer, type DemoCredentials } from './server.ts';

const STREAM = 'flights';
const BUCKET = 'demo';
const PARTITIONS = 3;
const DELIVER_SECONDS = 2;
const ROWS_PER_PUT = 250;
/** Slow enough that files appear while records still go in. */
const PAUSE_MS = 100;
const PATIENCE_MS = 60_000;

const root = dirname(import.meta.dirname);
const dataDir = join(root, 'demo-data');
const DATA_SET = join(root, 'node_modules', 'vega-datasets', 'data', 'flights-20k.json');

interface Flight {
  readonly origin: string;
}

async function main(): Promise<void> {
  const flights = JSON.parse(await readFile(DATA_SET, 'utf8')) as Flight[];
  const credentials: DemoCredentials = {
    projectId: 'demo',
    domain: 'demo',
    user: 'demo',
    password: randomBytes(9).toString('base64url'),
  };
  await rm(dataDir, { recursive: true, force: true });

  heading('Start');
  const server = await startDemoServer(root, dataDir, credentials, DELIVER_SECONDS);
  try {
    say(`Sluice serves ${server.url} on the empty data directory ${relative(process.cwd(), dataDir)}`);
    const api = await DemoApi.login(server.url, credentials);
    await api.createStream(STREAM, PARTITIONS);
    const taskId = await api.createDumpTask(STREAM, 'to-files', BUCKET, 'flights', DELIVER_SECONDS);
    say(
      `Stream "${STREAM}" with ${PARTITIONS} partitions; dump task ${taskId} makes a file of each every ${DELIVER_SECONDS} s`,
    );

    heading(`Put ${flights.length.toLocaleString('en')} flights, those of one airport in one partition`);
    await putAll(api, taskId, flights);
    const entries = await waitForDelivery(api, taskId, flights.length);

    heading(`The dump log: POST /v1/transfertasklog/${taskId}`);
    printLog(entries);

    heading('Check');
    const { files, rows, problems } = await checkDelivery(flights.length, entries, join(dataDir, 'objects', BUCKET));
    for (const problem of problems.slice(0, 20)) say(styleText('red', problem));
    if (problems.length > 0) throw new Error(`${problems.length} problems`);
    say(
      styleText(
        'green',
        `✔ each of ${rows.toLocaleString('en')} rows is in exactly one of ${files} files, and the log is true`,
      ),
    );
  } finally {
    await server.stop();
  }
  heading('Go on');
  const shown = relative(process.cwd(), dataDir) || '.';
  say(`Files         ${join(shown, 'objects', BUCKET)}`);
  say('The server has stopped. Serve the same data again, and stop it with Ctrl-C:');
  say(`  bin/sluice serve --data-dir ${shown} --listen 127.0.0.1:8080`);
  say(
    `  (project ${credentials.projectId}, user ${credentials.domain}/${credentials.user}, password in ${join(shown, 'credentials.json')})`,
  );
  say(`Done with it: rm -r ${shown}`);
}

async function putAll(api: DemoApi, taskId: string, flights: readonly Flight[]): Promise<void> {
  const progress = new Progress(flights.length);
  for (let at = 0; at < flights.length; at += ROWS_PER_PUT) {
    const rows = flights.slice(at, at + ROWS_PER_PUT);
    await api.put(
      STREAM,
      rows.map((flight, index) => ({ key: flight.origin, data: JSON.stringify({ row: at + index, ...flight }) })),
    );
    const done = at + rows.length;
    const files = (await api.dumpLog(taskId)).filter(({ state }) => state === 0);
    progress.show(done, `${done.toLocaleString('en')} acknowledged, ${describeFiles(files)}`);
    await pause(PAUSE_MS);
  }
  progress.end();
}

async function waitForDelivery(api: DemoApi, taskId: string, rows: number): Promise<LogEntry[]> {
  say('All acknowledged, all on disk. Waiting for the last files …');
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const entries = await api.dumpLog(taskId);
    const delivered = entries.filter(({ state }) => state === 0);
    if (delivered.reduce((sum, entry) => sum + entry.transferRecordsNum, 0) >= rows) return entries;
    if (Date.now() > deadline)
      throw new Error(`after ${PATIENCE_MS / 1000} s there are only ${describeFiles(delivered)}`);
    await pause(250);
  }
}

function describeFiles(files: readonly LogEntry[]): string {
  const records = files.reduce((sum, { transferRecordsNum }) => sum + transferRecordsNum, 0);
  return `${files.length} files with ${records.toLocaleString('en')} records`;
}

function printLog(entries: readonly LogEntry[]): void {
  const states = ['delivered', 'failed', 'in progress'];
  const rows = entries.map((entry) => [
    new Date(entry.endTime).toISOString().slice(11, 23),
    states[entry.state] ?? String(entry.state),
    entry.partitionId,
    `${entry.firstSequenceNumber}–${entry.lastSequenceNumber}`,
    String(entry.transferRecordsNum),
    String(entry.transferBytes),
    entry.transferFileName,
  ]);
  const header = ['end (UTC)', 'state', 'partition', 'sequence numbers', 'records', 'bytes', 'file'];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const rightAligned = new Set([4, 5]);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (rightAligned.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  say(styleText('bold', line(header)));
  for (const row of rows) say(line(row));
}

function heading(text: string): void {
  process.stdout.write(`\n${styleText('bold', text)}\n`);
}

function say(text: string): void {
  process.stdout.write(`  ${text}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
