/** From starting the process to an answer of /healthz: with nothing stored, with a large log, and after a kill. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchContext } from '../harness/context.ts';
import { interleave } from '../harness/interleave.ts';
import { peakRss, settleDisk } from '../harness/machine.ts';
import { table, verdict, type Section } from '../harness/markdown.ts';
import { RECORDS_PER_REQUEST, RECORD_BYTES, Sluice } from '../harness/sluice.ts';
import { median, ratios, ratioSpread, spread } from '../harness/stats.ts';
import { frameBytes, writeFrameStart } from '../../src/model/record-batch.ts';
import { nodeFileSystem as fileSystem } from '../../src/platform/file-system.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { openLocalLog } from '../../src/recordlog/local/local-log.ts';

const GIGABYTE = 1e9;
const LARGE_BYTES = 10 * GIGABYTE;
const PARTITIONS = 50;
/** Of one append: each partition gets a block. */
const APPEND_RECORDS = 4000;
const SEGMENT_BYTES = 128 * 1024 * 1024;
/** What the open segment holds when the process is killed: nearly all that it can. */
const TAIL_REQUESTS = 220;

interface Start {
  readonly ms: number;
  readonly rss: number;
}

export async function benchStartUp(context: BenchContext): Promise<Section> {
  const { directory, progress } = context;
  const opened: Sluice[] = [];
  try {
    for (const name of ['empty', 'large']) {
      const sluice = await Sluice.start(join(directory, name));
      opened.push(sluice);
      await sluice.createStream('bench', PARTITIONS);
      await sluice.server.kill('SIGTERM');
    }
    const [empty, large] = opened as [Sluice, Sluice];
    progress(`start-up: writing ${LARGE_BYTES / GIGABYTE} GB`);
    await writeLog(large);
    settleDisk(directory);
    return await measure(context, empty, large);
  } finally {
    for (const sluice of opened) await sluice.server.stop();
  }
}

async function measure(context: BenchContext, empty: Sluice, large: Sluice): Promise<Section> {
  context.progress('start-up: starting');
  const results = await interleave<Start>(context.repeats, [
    { name: 'empty', run: () => startAndStop(empty) },
    { name: 'large', run: () => startAndStop(large) },
    { name: 'large, not in the page cache', run: () => (forgetPages(large), startAndStop(large)) },
    { name: 'empty, killed', run: () => startAfterKill(context, empty, 0) },
    { name: 'large, killed', run: () => startAfterKill(context, large, TAIL_REQUESTS) },
  ]);
  const times = (name: string) => results.get(name)!.map(({ ms }) => ms);
  const row = (name: string, base: string, aim: boolean) => {
    const toBase = ratios(times(name), times(base));
    const rss = Math.max(...results.get(name)!.map((start) => start.rss));
    const ratio = `${ratioSpread(toBase)}${aim ? ` ${verdict(median(toBase), '≤', 2)}` : ''}`;
    return [name, spread(times(name)), name === base ? '' : ratio, `${rss.toFixed(0)} MB`];
  };
  const tailMegabytes = (TAIL_REQUESTS * RECORDS_PER_REQUEST * RECORD_BYTES) / 1e6;
  return {
    title: 'Start-up',
    blocks: [
      `Milliseconds from starting \`bin/sluice serve\` to a 200 of /healthz. Large: ${LARGE_BYTES / GIGABYTE} GB of records in ` +
        `${PARTITIONS} partitions. Killed: by SIGKILL, the large one right after ${tailMegabytes.toFixed(0)} MB of puts that are in no ` +
        'sealed segment.',
      table(
        ['data directory', 'ms', 'against empty', 'peak RSS'],
        [
          row('empty', 'empty', false),
          row('large', 'empty', true),
          row('large, not in the page cache', 'empty', true),
          row('empty, killed', 'empty, killed', false),
          row('large, killed', 'empty, killed', true),
        ],
      ),
    ],
  };
}

async function startAndStop(sluice: Sluice): Promise<Start> {
  const start = await timedStart(sluice);
  await sluice.server.kill('SIGTERM');
  return start;
}

async function startAfterKill(context: BenchContext, sluice: Sluice, requests: number): Promise<Start> {
  await sluice.server.restart();
  if (requests > 0) await sluice.fill(context.load, 'bench', PARTITIONS, requests);
  await sluice.server.kill('SIGKILL');
  settleDisk(context.directory);
  return startAndStop(sluice);
}

async function timedStart({ server }: Sluice): Promise<Start> {
  const begin = performance.now();
  await server.restart();
  return { ms: performance.now() - begin, rss: await peakRss(server.pid) };
}

/** Drops the files of the log from the page cache, as a reboot would. */
function forgetPages({ server }: Sluice): void {
  const log = join(server.dataDir, 'log');
  for (const name of readdirSync(log)) {
    spawnSync('dd', [`if=${join(log, name)}`, 'iflag=nocache', 'count=0', 'status=none']);
  }
}

/** Appends the records of a large log straight to it: through the API it would be the same bytes, later. */
async function writeLog(sluice: Sluice): Promise<void> {
  const catalog = sluice.openCatalog(true);
  const { number } = catalog.prepare('select number from streams').get() as { number: number };
  catalog.close();
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ stream: number, partition }));
  const log = await openLocalLog({
    directory: join(sluice.server.dataDir, 'log'),
    fileSystem,
    clock,
    partitions,
    deletedStreams: [],
    segmentBytes: SEGMENT_BYTES,
    maxPendingBytes: SEGMENT_BYTES,
    report: (level, message) => void process.stderr.write(`${level}: ${message}\n`),
  });
  const count = APPEND_RECORDS / PARTITIONS;
  const batches = partitions.map((ref) => ({ ref, count, frames: randomFrames(count) }));
  const appendBytes = batches.reduce((sum, { frames }) => sum + frames.length, 0);
  for (let written = 0; written < LARGE_BYTES; written += 2 * appendBytes) {
    // Two at a time: one is encoded while the other is on its way.
    const outcomes = (await Promise.all([log.append(batches), log.append(batches)])).flat();
    if (outcomes.some((outcome) => 'error' in outcome)) throw new Error('the log refused records');
  }
  await log.close();
}

function randomFrames(count: number): Buffer {
  const key = 'device-1';
  const frames = Buffer.alloc(count * frameBytes(RECORD_BYTES, key.length, false));
  let at = 0;
  for (let record = 0; record < count; record += 1) {
    at = writeFrameStart(frames, at, RECORD_BYTES, key.length, -1);
    at += frames.write(key, at);
    at += randomBytes(RECORD_BYTES).copy(frames, at);
  }
  return frames;
}
