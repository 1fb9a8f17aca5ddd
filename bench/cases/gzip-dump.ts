/** Dump of a backlog as text in gzip, against zlib alone with the same bytes and against the gzip of the system. */
import { spawnSync } from 'node:child_process';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchContext } from '../harness/context.ts';
import { waitForDelivery } from '../harness/delivery.ts';
import { interleave, type Contestant } from '../harness/interleave.ts';
import { cpuSeconds, settleDisk } from '../harness/machine.ts';
import { table, verdict, type Section } from '../harness/markdown.ts';
import { Sluice } from '../harness/sluice.ts';
import { median, ratios, ratioSpread, spread } from '../harness/stats.ts';
import { orders } from '../harness/texts.ts';

const RECORDS = 200_000;
const PARTITIONS = 1;
const STREAM = 'orders';
const AIM = 0.8;
/** What Sluice takes; see src/codec/file-compression.ts. */
const LEVEL = 6;

interface Run {
  readonly seconds: number;
  /** Of the compressed file. */
  readonly bytes: number;
  /** CPU time of the server; undefined where it was not asked. */
  readonly cpu?: number;
}

export async function benchGzipDump(context: BenchContext): Promise<Section> {
  const { directory, progress } = context;
  progress('gzip: filling the stream');
  const source = join(directory, 'orders.jsonl');
  const dataDir = join(directory, 'data');
  const filling = await Sluice.start(dataDir);
  try {
    await filling.createStream(STREAM, PARTITIONS);
    await filling.putTexts(STREAM, PARTITIONS, orders(RECORDS));
  } finally {
    await filling.server.stop();
  }
  const file = await open(source, 'w');
  await file.writeFile(lines());
  await file.close();
  const { size } = await stat(source);

  const sluice = await Sluice.start(dataDir);
  try {
    const results = await interleave<Run>(context.repeats, [
      { name: `Sluice, level ${LEVEL}`, run: () => dump(context, sluice) },
      floor(context, `zlib alone, level ${LEVEL}`, process.execPath, [
        GZIP_FLOOR,
        source,
        `${source}.gz`,
        String(LEVEL),
      ]),
      floor(context, `gzip -${LEVEL}`, 'gzip', ['-kf', `-${LEVEL}`, source]),
      floor(context, 'gzip -1', 'gzip', ['-kf', '-1', source]),
    ]);
    const [ours = '', alone = ''] = results.keys();
    const rates = (name: string) => results.get(name)!.map(({ seconds }) => size / 1e6 / seconds);
    const rows = [...results].map(([name, runs]) => {
      const toFloor = ratios(rates(ours), rates(name));
      const judged = name === alone ? ` ${verdict(median(toFloor), '≥', AIM)}` : '';
      return [
        name,
        spread(rates(name)),
        name === ours ? '' : `${ratioSpread(toFloor)}${judged}`,
        `${(median(runs.map(({ bytes }) => bytes)) / 1e6).toFixed(1)} MB`,
      ];
    });
    const cpu = median(results.get(ours)!.map((run) => run.cpu ?? 0));
    return {
      title: 'Dump in gzip',
      blocks: [
        `${RECORDS} JSON records of ${Math.round(size / RECORDS)} bytes in one partition, one file, from the plan to the commit ` +
          '(`floors/gzip-floor.ts`: the same bytes from file to file). Two chunks of a file are compressed at a time; ' +
          `the server took ${cpu.toFixed(1)} s of CPU time for it.`,
        table(['', 'MB/s', 'Sluice : this', 'size'], rows),
      ],
    };
  } finally {
    await sluice.server.stop();
  }
}

const GZIP_FLOOR = join(import.meta.dirname, '../floors/gzip-floor.ts');

function* lines(): Generator<string, void, undefined> {
  for (const order of orders(RECORDS)) yield `${order}\n`;
}

function floor({ directory }: BenchContext, name: string, command: string, args: readonly string[]): Contestant<Run> {
  return {
    name,
    async run() {
      settleDisk(directory);
      const begin = performance.now();
      const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name} ended with ${status}`);
      const told = Number(stdout.trim() || Number.NaN);
      const { size } = await stat(join(directory, 'orders.jsonl.gz'));
      return { seconds: Number.isNaN(told) ? (performance.now() - begin) / 1000 : told, bytes: size };
    },
  };
}

async function dump({ directory }: BenchContext, sluice: Sluice): Promise<Run> {
  settleDisk(directory);
  const before = await cpuSeconds(sluice.server.pid);
  const id = await sluice.createTask(STREAM, 'gzip', { compression_format: 'gzip' });
  const seconds = await waitForDelivery(sluice, [id], RECORDS);
  const cpu = (await cpuSeconds(sluice.server.pid)) - before;
  const catalog = sluice.openCatalog(true);
  const { bytes } = catalog.prepare('select sum(bytes) as bytes from dump_log where task_id = ?').get(id) as {
    bytes: number;
  };
  catalog.close();
  await sluice.call('DELETE', `/streams/${STREAM}/transfer-tasks/gzip`);
  await rm(join(sluice.server.dataDir, 'objects', 'bench'), { recursive: true });
  return { seconds, bytes, cpu };
}
