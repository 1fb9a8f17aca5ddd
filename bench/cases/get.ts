/** Gets of 500 records from the page cache, against a floor that reads, encodes and writes the same, and against kinesalite. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild, urlOf, type ChildServer } from '../harness/child-server.ts';
import type { BenchContext } from '../harness/context.ts';
import { interleave, type Contestant } from '../harness/interleave.ts';
import { Kinesalite } from '../harness/kinesalite.ts';
import { peakRss, resetPeakRss } from '../harness/machine.ts';
import { table, verdict, type Section } from '../harness/markdown.ts';
import { RECORD_BYTES, RECORDS_PER_REQUEST as LIMIT, Sluice } from '../harness/sluice.ts';
import { median, ratios, ratioSpread, spread } from '../harness/stats.ts';
import type { LoadResult } from '../load/load-generator.ts';
import type { GetTraffic } from '../load/traffic.ts';

/** Each answer is put together from blocks of 500 / partitions records, as 500-record puts leave them. */
const PARTITIONS = [4, 50] as const;
const CONNECTIONS = [1, 8] as const;
/** 100 MB; a multiple of every partition count, so that every answer is full. */
const REQUESTS = 200;
const PEER_REQUESTS = 40;
const PEER_SHARDS = 1;
const WARM_UP_SECONDS = 1;

interface Bench {
  readonly context: BenchContext;
  readonly sluice: Sluice;
  readonly floor: ChildServer;
  readonly peer: Kinesalite | undefined;
}

export async function benchGet(context: BenchContext): Promise<Section> {
  const { directory } = context;
  const file = join(directory, 'floor');
  await writeFile(file, randomBytes(REQUESTS * LIMIT * RECORD_BYTES));
  const sluice = await Sluice.start(join(directory, 'data'));
  const floorScript = join(import.meta.dirname, '../floors/get-floor.ts');
  const floor = await startChild(floorScript, [file, String(RECORD_BYTES), String(LIMIT)]);
  const peer = await Kinesalite.start(join(directory, 'kinesalite'));
  try {
    return await measure({ context, sluice, floor, peer });
  } finally {
    await Promise.all([sluice.server.stop(), floor.stop(), peer?.child.stop()]);
  }
}

async function measure(bench: Bench): Promise<Section> {
  const { context, sluice, peer } = bench;
  context.progress('get: filling the streams');
  for (const count of PARTITIONS) {
    await sluice.createStream(`p${count}`, count);
    await sluice.fill(context.load, `p${count}`, count, REQUESTS);
  }
  if (peer !== undefined) await fillPeer(context, peer);
  await resetPeakRss(sluice.server.pid);

  const rows: string[][] = [];
  for (const connections of CONNECTIONS) {
    context.progress(`get: ${connections} connections`);
    for (const { run } of await contestants(bench, connections, WARM_UP_SECONDS)) await run();
    const results = await interleave(context.repeats, await contestants(bench, connections, context.seconds));
    const rate = (name: string) => results.get(name)?.map((result) => result.records / result.seconds);
    const floor = rate('floor')!;
    const peerRate = rate('kinesalite');
    const cpu = (name: string) => median(results.get(name)!.map((result) => result.cpu)).toFixed(1);
    for (const count of PARTITIONS) {
      const own = rate(`sluice ${count}`)!;
      const toFloor = ratios(own, floor);
      rows.push([
        `${connections} conn., ${count} part.`,
        spread(own),
        spread(floor),
        `${ratioSpread(toFloor)} ${verdict(median(toFloor), '≥', 0.7)}`,
        `${cpu(`sluice ${count}`)} / ${cpu('floor')} µs`,
        peerRate === undefined ? '' : spread(peerRate),
        peerRate === undefined ? '' : ratioSpread(ratios(own, peerRate)),
      ]);
    }
  }
  const rss = await peakRss(sluice.server.pid);
  return {
    title: 'Get',
    blocks: [
      `Records a second, ${LIMIT} × 1 KiB an answer, from the page cache. Floor: \`floors/get-floor.ts\`. CPU: of the process, Sluice / floor.`,
      table(
        ['requests', 'Sluice', 'floor', 'Sluice : floor', 'CPU a record', 'kinesalite', 'Sluice : kinesalite'],
        rows,
      ),
      ...(peer === undefined ? ['kinesalite could not be had on this machine.'] : []),
      `Peak RSS of the server: ${rss.toFixed(0)} MB (${verdict(rss, '≤', 300, ' MB')}).`,
    ],
  };
}

async function fillPeer({ load }: BenchContext, peer: Kinesalite): Promise<void> {
  await peer.createStream('bench', PEER_SHARDS);
  const traffic = { kind: 'put', dialect: 'kinesis', path: '/', stream: 'bench' } as const;
  await load.run({
    url: peer.url,
    connections: 1,
    requests: PEER_REQUESTS,
    traffic: { ...traffic, records: LIMIT, payloadBytes: RECORD_BYTES },
  });
  peer.child.pause();
}

/** Made anew for every shape, since cursors grow old. */
async function contestants(bench: Bench, connections: number, seconds: number): Promise<Contestant<LoadResult>[]> {
  const { context, sluice, floor, peer } = bench;
  const get = { kind: 'get', records: LIMIT, payloadBytes: RECORD_BYTES } as const;
  const load = (url: string, pid: number, traffic: GetTraffic) =>
    context.load.run({ url, pid, connections, seconds, traffic });

  const list: Contestant<LoadResult>[] = [
    { name: 'floor', run: () => load(urlOf(floor), floor.pid, { ...get, dialect: 'dis', path: '/', cursors: ['0'] }) },
  ];
  for (const count of PARTITIONS) {
    const cursors = await sluice.cursors(`p${count}`, count);
    const traffic = { ...get, dialect: 'dis', path: sluice.recordsPath, token: sluice.token, cursors } as const;
    list.push({ name: `sluice ${count}`, run: () => load(sluice.server.baseUrl, sluice.server.pid, traffic) });
  }
  if (peer === undefined) return list;
  peer.child.resume();
  const cursors = await peer.shardIterators('bench', PEER_SHARDS);
  peer.child.pause();
  const run = async () => {
    peer.child.resume();
    const result = await load(peer.url, peer.child.pid, { ...get, dialect: 'kinesis', path: '/', cursors });
    peer.child.pause();
    return result;
  };
  return [...list, { name: 'kinesalite', run }];
}
