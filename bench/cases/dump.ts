/** Dump of a backlog as text into the directory store, against copying the same bytes with a sync at the end. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchContext } from '../harness/context.ts';
import { waitForDelivery } from '../harness/delivery.ts';
import { interleave } from '../harness/interleave.ts';
import { peakRss, resetPeakRss, settleDisk } from '../harness/machine.ts';
import { table, verdict, type Section } from '../harness/markdown.ts';
import { RECORD_BYTES, RECORDS_PER_REQUEST, Sluice } from '../harness/sluice.ts';
import { median, ratios, ratioSpread, spread } from '../harness/stats.ts';

const PARTITIONS = 4;
/** Tasks on one stream. All deliver the same bytes in total, so the streams are the smaller the more tasks there are. */
const TASKS = [1, 10, 100] as const;
const TOTAL_REQUESTS = 1000;
const TOTAL_RECORDS = TOTAL_REQUESTS * RECORDS_PER_REQUEST;
/** Each record and the line feed behind it. */
const TOTAL_BYTES = TOTAL_RECORDS * (RECORD_BYTES + 1);

interface Run {
  readonly seconds: number;
  readonly rss: number;
}

export async function benchDump(context: BenchContext): Promise<Section> {
  const dataDir = join(context.directory, 'data');
  const source = join(context.directory, 'source');
  await writeRandom(source);
  await preload(context, dataDir);
  // Another process than the one that took the puts: its memory is that of the dump alone.
  const sluice = await Sluice.start(dataDir);
  try {
    return await measure(context, sluice, source);
  } finally {
    await sluice.server.stop();
  }
}

async function preload({ load, progress }: BenchContext, dataDir: string): Promise<void> {
  const sluice = await Sluice.start(dataDir);
  try {
    progress('dump: filling the streams');
    for (const tasks of TASKS) {
      await sluice.createStream(`for${tasks}`, PARTITIONS);
      await sluice.fill(load, `for${tasks}`, PARTITIONS, TOTAL_REQUESTS / tasks);
    }
    await sluice.server.kill('SIGTERM');
  } finally {
    await sluice.server.stop();
  }
}

async function measure(context: BenchContext, sluice: Sluice, source: string): Promise<Section> {
  const rows: string[][] = [];
  for (const tasks of TASKS) {
    context.progress(`dump: ${tasks} tasks`);
    const results = await interleave<Run>(context.repeats, [
      { name: 'copy', run: async () => ({ seconds: copy(context, source), rss: 0 }) },
      { name: 'dump', run: () => dump(context, sluice, tasks) },
    ]);
    const rates = (name: string, amount: number) => results.get(name)!.map(({ seconds }) => amount / seconds);
    const toFloor = ratios(rates('dump', TOTAL_BYTES), rates('copy', TOTAL_BYTES));
    const rss = Math.max(...results.get('dump')!.map((run) => run.rss));
    rows.push([
      `${tasks} × ${TOTAL_RECORDS / tasks} records, ${tasks * PARTITIONS} files`,
      spread(rates('dump', TOTAL_RECORDS)),
      spread(rates('dump', TOTAL_BYTES / 1e6)),
      spread(rates('copy', TOTAL_BYTES / 1e6)),
      `${ratioSpread(toFloor)} ${verdict(median(toFloor), '≥', 0.5)}`,
      `${rss.toFixed(0)} MB ${verdict(rss, '≤', 300, ' MB')}`,
    ]);
  }
  return {
    title: 'Dump',
    blocks: [
      `A backlog of 1 KiB records in ${PARTITIONS} partitions, from the first plan to the last commit. ` +
        'Floor: `floors/copy-floor.ts`, one file of as many bytes.',
      table(['tasks', 'records/s', 'MB/s', 'copy MB/s', 'dump : copy', 'peak RSS'], rows),
    ],
  };
}

/** Seconds that the floor takes. */
function copy({ directory }: BenchContext, source: string): number {
  settleDisk(directory);
  const script = join(import.meta.dirname, '../floors/copy-floor.ts');
  const { status, stdout } = spawnSync(process.execPath, [script, source, `${source}.copy`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the copy ended with ${status}`);
  return Number(stdout);
}

async function dump({ directory }: BenchContext, sluice: Sluice, tasks: number): Promise<Run> {
  const stream = `for${tasks}`;
  const names = Array.from({ length: tasks }, (_, index) => `task${index}`);
  settleDisk(directory);
  await resetPeakRss(sluice.server.pid);
  const ids: string[] = [];
  for (const name of names) ids.push(await sluice.createTask(stream, name));
  const seconds = await waitForDelivery(sluice, ids, TOTAL_RECORDS);
  const rss = await peakRss(sluice.server.pid);
  for (const name of names) await sluice.call('DELETE', `/streams/${stream}/transfer-tasks/${name}`);
  await rm(join(sluice.server.dataDir, 'objects', 'bench'), { recursive: true });
  return { seconds, rss };
}

async function writeRandom(path: string): Promise<void> {
  const piece = randomBytes(TOTAL_BYTES / TOTAL_REQUESTS);
  const file = await open(path, 'w');
  for (let count = 0; count < TOTAL_REQUESTS; count += 1) await file.write(piece);
  await file.close();
}
