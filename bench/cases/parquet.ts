/** JSON records to Parquet by the codec of a dump, beside pyarrow and DuckDB with the same bytes and the same columns. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { READERS } from '../../test/formats/readers.ts';
import { seededFraction } from '../../test/support/random.ts';
import type { BenchContext } from '../harness/context.ts';
import { interleave, type Contestant } from '../harness/interleave.ts';
import { settleDisk } from '../harness/machine.ts';
import { table, verdict, type Section } from '../harness/markdown.ts';
import { median, ratios, ratioSpread, spread } from '../harness/stats.ts';

const RECORDS = 200_000;
const SEED = 1;
const AIM = 0.5;
const ALL_THREADS = 2;
const FLOORS = join(import.meta.dirname, '../floors');

interface Run {
  readonly seconds: number;
  readonly rss: number;
  readonly bytes: number;
}

export async function benchParquet(context: BenchContext): Promise<Section> {
  context.progress('parquet: making the records');
  await READERS.install();
  const lines = join(context.directory, 'records.jsonl');
  const schema = join(context.directory, 'schema.json');
  await writeRecords(lines);
  await writeFile(schema, JSON.stringify(SCHEMA));

  const run = (name: string, command: string, args: readonly string[]): Contestant<Run> => ({
    name,
    run: async () => convert(context, name, command, args),
  });
  const to = join(context.directory, 'out.parquet');
  const peer = (name: string, tool: string, threads: number) =>
    run(name, READERS.tool('python'), [join(FLOORS, 'parquet_peers.py'), lines, to, tool, String(threads)]);
  const ours = run('Sluice', process.execPath, [join(FLOORS, 'parquet-ours.ts'), lines, to, schema]);
  const results = await interleave(context.repeats, [
    ours,
    peer('pyarrow, 1 thread', 'pyarrow', 1),
    peer('pyarrow, 2 threads', 'pyarrow', ALL_THREADS),
    peer('DuckDB, 1 thread', 'duckdb', 1),
    peer('DuckDB, 2 threads', 'duckdb', ALL_THREADS),
  ]);
  const rates = (name: string) => results.get(name)!.map(({ seconds }) => RECORDS / seconds);
  const rows = [...results].map(([name, runs]) => {
    const toPeer = ratios(rates('Sluice'), rates(name));
    const judged = name === 'pyarrow, 1 thread' ? ` ${verdict(median(toPeer), '≥', AIM)}` : '';
    return [
      name,
      spread(rates(name)),
      name === 'Sluice' ? '' : `${ratioSpread(toPeer)}${judged}`,
      `${(median(runs.map(({ bytes }) => bytes)) / 1e6).toFixed(0)} MB`,
      `${Math.max(...runs.map(({ rss }) => rss)).toFixed(0)} MB`,
    ];
  });
  return {
    title: 'Parquet',
    blocks: [
      `${RECORDS} JSON records of ${Math.round(statSync(lines).size / RECORDS)} bytes and ten columns to one file with Snappy, on the ` +
        'one thread that a dump converts on: parse, check against the schema, encode, write. The records themselves are in memory ' +
        `(${(statSync(lines).size / 1e6).toFixed(0)} MB of the RSS of Sluice and pyarrow); all are warmed up.`,
      table(['', 'records/s', 'Sluice : it', 'file', 'peak RSS'], rows),
    ],
  };
}

function convert({ directory, progress }: BenchContext, name: string, command: string, args: readonly string[]): Run {
  progress(`parquet: ${name}`);
  settleDisk(directory);
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
  const [seconds, rss] = stdout.trim().split(' ').map(Number);
  return { seconds: seconds!, rss: rss!, bytes: statSync(join(directory, 'out.parquet')).size };
}

const SCHEMA = {
  type: 'record',
  name: 'Reading',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'time', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'device', type: 'string' },
    { name: 'region', type: 'string' },
    { name: 'temperature', type: 'double' },
    { name: 'humidity', type: 'double' },
    { name: 'ok', type: 'boolean' },
    { name: 'trace', type: 'string' },
    { name: 'count', type: 'long' },
    { name: 'message', type: 'string' },
  ].map(({ name, type }) => ({ name, type: ['null', type] })),
};

/** About 900 bytes each: identifiers, measurements, and a text of words. */
async function writeRecords(path: string): Promise<void> {
  const fraction = seededFraction(SEED);
  const below = (limit: number) => Math.floor(fraction() * limit);
  const word = () => String.fromCharCode(...Array.from({ length: 3 + below(7) }, () => 97 + below(26)));
  const words = Array.from({ length: 2000 }, word);
  const hex = () =>
    below(2 ** 32)
      .toString(16)
      .padStart(8, '0');
  const regions = ['eu-west', 'eu-north', 'cn-north', 'us-east'];
  const file = await open(path, 'w');
  for (let index = 0; index < RECORDS;) {
    const lines: string[] = [];
    for (; lines.length < 10_000; index += 1) {
      const record = {
        id: index * 1000 + below(1000),
        time: new Date(1_700_000_000_000 + index * 37).toISOString(),
        device: `device-${below(5000)}`,
        region: regions[below(4)],
        temperature: Math.round(fraction() * 60_000 - 20_000) / 1000,
        humidity: fraction(),
        ok: fraction() < 0.97,
        trace: hex() + hex() + hex() + hex(),
        count: below(1000),
        message: Array.from({ length: 95 }, () => words[below(words.length)]).join(' '),
      };
      lines.push(`${JSON.stringify(record)}\n`);
    }
    await file.write(lines.join(''));
  }
  await file.close();
}
