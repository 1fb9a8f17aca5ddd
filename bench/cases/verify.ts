/** Verification of a delivered task: its files read and hashed, and made again from the stream. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { BenchContext } from '../harness/context.ts';
import { waitForDelivery } from '../harness/delivery.ts';
import { interleave } from '../harness/interleave.ts';
import { peakRss, resetPeakRss } from '../harness/machine.ts';
import { table, type Section } from '../harness/markdown.ts';
import { RECORDS_PER_REQUEST, Sluice } from '../harness/sluice.ts';
import { ratios, ratioSpread, spread } from '../harness/stats.ts';

const PARTITIONS = 4;
const REQUESTS = 2000;
const RECORDS = REQUESTS * RECORDS_PER_REQUEST;

interface Run {
  readonly seconds: number;
  readonly rss: number;
}

export async function benchVerify({ directory, load, progress, repeats }: BenchContext): Promise<Section> {
  const sluice = await Sluice.start(join(directory, 'data'));
  try {
    progress('verify: filling and delivering');
    await sluice.createStream('verified', PARTITIONS);
    await sluice.fill(load, 'verified', PARTITIONS, REQUESTS);
    const taskId = await sluice.createTask('verified', 'task');
    await waitForDelivery(sluice, [taskId], RECORDS);
    const folder = join(sluice.server.dataDir, 'objects', 'bench');

    const results = await interleave<Run>(repeats, [
      { name: 'hash', run: async () => ({ seconds: hash(folder), rss: 0 }) },
      { name: 'files', run: () => verify(sluice, taskId, '?contents=true') },
      { name: 'records', run: () => verify(sluice, taskId, '?contents=true&records=true') },
    ]);
    const seconds = (name: string) => results.get(name)!.map((run) => run.seconds);
    const rows = ['files', 'records'].map((name) => [
      name === 'files' ? 'log against the bucket, every file read' : 'and every file made again from the stream',
      spread(seconds(name), 2),
      spread(seconds('hash'), 2),
      ratioSpread(ratios(seconds('hash'), seconds(name))),
      `${Math.max(...results.get(name)!.map(({ rss }) => rss)).toFixed(0)} MB`,
    ]);
    return {
      title: 'Verify',
      blocks: [
        `${RECORDS / 1e6} million records of 1 KiB in ${PARTITIONS} partitions, in a directory. Floor: ` +
          '`floors/hash-floor.ts`, a SHA-256 of the same files and nothing else.',
        table(['what', 's per million records', 'floor s', 'floor : verify', 'peak RSS'], rows),
      ],
    };
  } finally {
    await sluice.server.stop();
  }
}

/** Seconds that the floor takes. */
function hash(folder: string): number {
  const script = join(import.meta.dirname, '../floors/hash-floor.ts');
  const { status, stdout } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the hashing ended with ${status}`);
  return Number(stdout);
}

async function verify(sluice: Sluice, taskId: string, query: string): Promise<Run> {
  await resetPeakRss(sluice.server.pid);
  const begin = performance.now();
  const path = `/v1/transfertasklog/${taskId}/verify${query}`;
  const { text } = await sluice.server.client.call('POST', path, { token: sluice.token });
  const seconds = (performance.now() - begin) / 1000;
  const { summary } = JSON.parse(text.trimEnd().split('\n').at(-1)!) as { summary?: { findings: number } };
  if (summary?.findings !== 0) throw new Error(`verify found ${text.slice(0, 500)}`);
  return { seconds, rss: await peakRss(sluice.server.pid) };
}
