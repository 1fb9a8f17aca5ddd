/**
 * The benchmarks: `npm run bench -- [put|get|protobuf|dump|log|gzip|paths|parquet|signatures|groups|startup|verify|all]`. Every figure is taken beside its
 * floor in the same run, in turns, and is printed as median (min–max); ratios are of neighbours in the same round.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchDumpLog } from './cases/dump-log.ts';
import { benchDump } from './cases/dump.ts';
import { benchGet } from './cases/get.ts';
import { benchGroups } from './cases/groups.ts';
import { benchGzipDump } from './cases/gzip-dump.ts';
import { benchParquet } from './cases/parquet.ts';
import { benchPaths } from './cases/paths.ts';
import { benchProtobuf } from './cases/protobuf.ts';
import { benchPut } from './cases/put.ts';
import { benchSignatures } from './cases/signatures.ts';
import { benchStartUp } from './cases/start-up.ts';
import { benchVerify } from './cases/verify.ts';
import type { Benchmark } from './harness/context.ts';
import { describeMachine, describeSource } from './harness/machine.ts';
import { render, type Section } from './harness/markdown.ts';
import { writeResults } from './harness/results-file.ts';
import { LoadGenerator } from './load/load-generator.ts';

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  put: benchPut,
  get: benchGet,
  protobuf: benchProtobuf,
  dump: benchDump,
  log: benchDumpLog,
  gzip: benchGzipDump,
  paths: benchPaths,
  parquet: benchParquet,
  signatures: benchSignatures,
  groups: benchGroups,
  startup: benchStartUp,
  verify: benchVerify,
};
const USAGE = `usage: npm run bench -- [${[...Object.keys(BENCHMARKS), 'all'].join('|')}] [options]
  --repeats N     rounds of every comparison (5)
  --seconds S     length of one load run (2)
  --dir DIR       where to work; its disk is the one that is measured (the system's temporary folder)
  --date DATE     date for the record (today)
  --write         update bench/results.md
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repeats: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    dir: { type: 'string', default: tmpdir() },
    date: { type: 'string', default: new Date().toISOString().slice(0, 10) },
    write: { type: 'boolean', default: false },
  },
});
const [wanted = 'all'] = positionals;
const names = wanted === 'all' ? Object.keys(BENCHMARKS) : [wanted];
const [repeats, seconds] = [Number(values.repeats), Number(values.seconds)];
if (!names.every((name) => Object.hasOwn(BENCHMARKS, name)) || !(repeats >= 1) || !(seconds > 0)) {
  process.stderr.write(USAGE);
  process.exit(2);
}

/** Asked before the first server starts: what is edited meanwhile is not what was measured. */
const source = describeSource();
const sections: Section[] = [];
for (const name of names) {
  const section = await runBenchmark(BENCHMARKS[name]!);
  sections.push(section);
  process.stdout.write(`${render(section)}\n\n`);
}
if (values.write) await writeResults(sections);

async function runBenchmark(benchmark: Benchmark): Promise<Section> {
  const directory = await mkdtemp(join(values.dir, 'sluice-bench-'));
  const load = new LoadGenerator();
  try {
    const progress = (message: string) => void process.stderr.write(`${message}\n`);
    const { title, blocks } = await benchmark({ directory, repeats, seconds, load, progress });
    const origin = `${values.date}, ${source}, ${repeats} rounds. ${describeMachine(directory)}.`;
    return { title, blocks: [...blocks, `_${origin}_`] };
  } finally {
    load.close();
    await rm(directory, { recursive: true, force: true });
  }
}
