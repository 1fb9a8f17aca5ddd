/** Dump by paths that the records say: time and memory at 1, 100 and 10,000 of them, as text and as Parquet. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchContext } from '../harness/context.ts';
import { waitForDelivery } from '../harness/delivery.ts';
import { interleave } from '../harness/interleave.ts';
import { peakRss, resetPeakRss, settleDisk } from '../harness/machine.ts';
import { table, verdict, type Section } from '../harness/markdown.ts';
import { Sluice } from '../harness/sluice.ts';
import { median, spread } from '../harness/stats.ts';
import { orders } from '../harness/texts.ts';

const RECORDS = 200_000;
const PARTITIONS = 1;
const STREAM = 'orders';
const PATHS = [1, 100, 10_000] as const;
const FORMS = ['text', 'parquet'] as const;
const AIM = 1.3;

const SCHEMA = JSON.stringify({
  type: 'record',
  name: 'order',
  fields: [
    ...['p1', 'p100', 'p10000', 'note'].map((name) => ({ name, type: 'string' })),
    ...['id', 'at'].map((name) => ({ name, type: 'long' })),
    { name: 'price', type: 'double' },
    { name: 'paid', type: 'boolean' },
    {
      name: 'customer',
      type: { type: 'record', name: 'customer', fields: ['name', 'key'].map((name) => ({ name, type: 'string' })) },
    },
  ],
});

interface Run {
  readonly seconds: number;
  readonly rss: number;
}

export async function benchPaths(context: BenchContext): Promise<Section> {
  context.progress('paths: filling the stream');
  const dataDir = join(context.directory, 'data');
  const filling = await Sluice.start(dataDir);
  try {
    await filling.createStream(STREAM, PARTITIONS, { data_type: 'JSON', data_schema: SCHEMA });
    await filling.putTexts(STREAM, PARTITIONS, orders(RECORDS));
  } finally {
    await filling.server.stop();
  }
  const rows: string[][] = [];
  for (const form of FORMS) {
    context.progress(`paths: ${form}`);
    const results = await interleave<Run>(
      context.repeats,
      PATHS.map((paths) => ({ name: String(paths), run: () => dump(context, dataDir, form, paths) })),
    );
    const rssOf = (paths: number) => median(results.get(String(paths))!.map(({ rss }) => rss));
    for (const paths of PATHS) {
      const toOne = rssOf(paths) / rssOf(1);
      const rates = results.get(String(paths))!.map(({ seconds }) => RECORDS / seconds);
      const told = paths === 1 ? '' : `${toOne.toFixed(2)} ${paths === 10_000 ? verdict(toOne, '≤', AIM) : ''}`;
      rows.push([form, String(paths), spread(rates), `${rssOf(paths).toFixed(0)} MB`, told.trim()]);
    }
  }
  return {
    title: 'Output paths',
    blocks: [
      `${RECORDS} JSON records of about 500 bytes in one partition, delivered into as many files as there are paths by ` +
        '`path_template`, each of them synced; Parquet by a schema of ten columns. Peak RSS of a server that has just started.',
      table(['form', 'paths', 'records/s', 'peak RSS', 'RSS : one path'], rows),
    ],
  };
}

/** By a server of its own: memory that another run has taken is not given back. */
async function dump({ directory }: BenchContext, dataDir: string, form: string, paths: number): Promise<Run> {
  const sluice = await Sluice.start(dataDir);
  try {
    settleDisk(directory);
    await resetPeakRss(sluice.server.pid);
    const settings = { destination_file_type: form, path_template: `p={$.p${paths}}` };
    const id = await sluice.createTask(STREAM, 'paths', settings);
    const seconds = await waitForDelivery(sluice, [id], RECORDS);
    const rss = await peakRss(sluice.server.pid);
    await sluice.call('DELETE', `/streams/${STREAM}/transfer-tasks/paths`);
    return { seconds, rss };
  } finally {
    await sluice.server.stop();
    await rm(join(dataDir, 'objects', 'bench'), { recursive: true, force: true });
  }
}
