/** Durable puts of 1 KiB records, against the floor (one file, one sync, no service around it) and against kinesalite. */
import { join } from 'node:path';
import { startChild, urlOf, type ChildServer } from '../harness/child-server.ts';
import type { BenchContext } from '../harness/context.ts';
import { interleave, type Contestant } from '../harness/interleave.ts';
import { Kinesalite } from '../harness/kinesalite.ts';
import { peakRss, settleDisk } from '../harness/machine.ts';
import { table, verdict, type Section } from '../harness/markdown.ts';
import { RECORD_BYTES, RECORDS_PER_REQUEST, Sluice } from '../harness/sluice.ts';
import { median, ratios, ratioSpread, spread } from '../harness/stats.ts';
import type { LoadResult } from '../load/load-generator.ts';

interface Shape {
  readonly records: number;
  readonly connections: number;
  readonly partitions: readonly number[];
  readonly withPeer: boolean;
}

const SHAPES: readonly Shape[] = [
  { records: RECORDS_PER_REQUEST, connections: 1, partitions: [4, 50], withPeer: false },
  { records: RECORDS_PER_REQUEST, connections: 4, partitions: [4, 50], withPeer: false },
  { records: RECORDS_PER_REQUEST, connections: 8, partitions: [4, 50], withPeer: true },
  { records: 1, connections: 64, partitions: [4], withPeer: true },
];
const PEER_SHARDS = 4;
const WARM_UP_SECONDS = 1;

interface Bench {
  readonly context: BenchContext;
  readonly sluice: Sluice;
  readonly floor: ChildServer;
  readonly peer: Kinesalite | undefined;
}

export async function benchPut(context: BenchContext): Promise<Section> {
  const { directory } = context;
  const sluice = await Sluice.start(join(directory, 'data'));
  const floor = await startChild(join(import.meta.dirname, '../floors/put-floor.ts'), [join(directory, 'floor')]);
  const peer = await Kinesalite.start(join(directory, 'kinesalite'));
  try {
    await peer?.createStream('bench', PEER_SHARDS);
    return await measure({ context, sluice, floor, peer });
  } finally {
    await Promise.all([sluice.server.stop(), floor.stop(), peer?.child.stop()]);
  }
}

async function measure(bench: Bench): Promise<Section> {
  const { sluice, context } = bench;
  const rows: string[][] = [];
  const floorToPeer: string[] = [];
  for (const shape of SHAPES) {
    const { records, connections, partitions } = shape;
    context.progress(`put: ${records} records a request, ${connections} connections`);
    for (const { run } of contestants(bench, shape, WARM_UP_SECONDS)) await run();
    const results = await interleave(context.repeats, contestants(bench, shape, context.seconds));
    const rate = (name: string) => results.get(name)?.map((result) => result.records / result.seconds);
    const floor = rate('floor')!;
    const peer = rate('kinesalite');
    if (peer !== undefined) floorToPeer.push(`${ratioSpread(ratios(floor, peer))} at ${records} records a request`);
    const cpu = (name: string) => median(results.get(name)!.map((result) => result.cpu)).toFixed(1);
    for (const count of partitions) {
      const name = `sluice ${count}`;
      const own = rate(name)!;
      const latency = (quantile: 'p50' | 'p99') => median(results.get(name)!.map((result) => result[quantile]));
      const toFloor = ratios(own, floor);
      const toPeer = peer === undefined ? undefined : ratios(own, peer);
      rows.push([
        `${records} × 1 KiB, ${connections} conn., ${count} part.`,
        spread(own),
        `${latency('p50').toFixed(1)} / ${latency('p99').toFixed(1)} ms`,
        spread(floor),
        `${ratioSpread(toFloor)} ${verdict(median(toFloor), '≥', 0.7)}`,
        `${cpu(name)} / ${cpu('floor')} µs`,
        peer === undefined ? '' : spread(peer),
        toPeer === undefined ? '' : `${ratioSpread(toPeer)} ${verdict(median(toPeer), '≥', 10)}`,
      ]);
    }
  }
  const rss = await peakRss(sluice.server.pid);
  return {
    title: 'Put',
    blocks: [
      'Records a second, answered after the sync. Floor: `floors/put-floor.ts`. kinesalite does not sync. CPU: of ' +
        'the process, Sluice / floor; it swings less than the disk.',
      table(
        [
          'requests',
          'Sluice',
          'p50 / p99',
          'floor',
          'Sluice : floor',
          'CPU a record',
          'kinesalite',
          'Sluice : kinesalite',
        ],
        rows,
      ),
      bench.peer === undefined
        ? 'kinesalite could not be had on this machine.'
        : `The floor itself against kinesalite: ${floorToPeer.join('; ')}.`,
      `Peak RSS of the server over all of it: ${rss.toFixed(0)} MB (${verdict(rss, '≤', 300, ' MB')}).`,
    ],
  };
}

function contestants(bench: Bench, shape: Shape, seconds: number): Contestant<LoadResult>[] {
  const { context, sluice, floor, peer } = bench;
  const { connections, records } = shape;
  const put = { kind: 'put', payloadBytes: RECORD_BYTES, records } as const;
  const floorContestant: Contestant<LoadResult> = {
    name: 'floor',
    run: async () => {
      settleDisk(context.directory);
      const url = urlOf(floor);
      const traffic = { ...put, dialect: 'dis', path: '/', stream: 'bench' } as const;
      const result = await context.load.run({ pid: floor.pid, url, connections, seconds, traffic });
      await fetch(`${url}/reset`, { method: 'POST' });
      return result;
    },
  };
  const own = shape.partitions.map((count): Contestant<LoadResult> => ({
    name: `sluice ${count}`,
    run: async () => {
      await sluice.createStream('bench', count);
      settleDisk(context.directory);
      const { recordsPath: path, token } = sluice;
      const traffic = { ...put, dialect: 'dis', path, token, stream: 'bench' } as const;
      const { baseUrl: url, pid } = sluice.server;
      const result = await context.load.run({ pid, url, connections, seconds, traffic });
      await sluice.deleteStream('bench');
      return result;
    },
  }));
  if (peer === undefined || !shape.withPeer) return [floorContestant, ...own];
  const peerContestant: Contestant<LoadResult> = {
    name: 'kinesalite',
    run: async () => {
      peer.child.resume();
      settleDisk(context.directory);
      const traffic = { ...put, dialect: 'kinesis', path: '/', stream: 'bench' } as const;
      const result = await context.load.run({ url: peer.url, connections, seconds, traffic });
      // It compacts for seconds after a run: not in another's turn.
      peer.child.pause();
      return result;
    },
  };
  return [floorContestant, ...own, peerContestant];
}
