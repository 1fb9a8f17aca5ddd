/** Puts and gets in protobuf beside the same in JSON, and beside the JSON floors of `put` and `get`. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild, urlOf, type ChildServer } from '../harness/child-server.ts';
import type { BenchContext } from '../harness/context.ts';
import { interleave, type Contestant } from '../harness/interleave.ts';
import { peakRss, resetPeakRss, settleDisk } from '../harness/machine.ts';
import { table, verdict, type Section } from '../harness/markdown.ts';
import { RECORD_BYTES, RECORDS_PER_REQUEST, Sluice } from '../harness/sluice.ts';
import { median, ratios, ratioSpread, spread } from '../harness/stats.ts';
import type { LoadResult } from '../load/load-generator.ts';
import type { Traffic } from '../load/traffic.ts';

const PARTITIONS = 4;
const CONNECTIONS = [1, 8] as const;
/** Requests that fill the stream that is read: 100 MB. */
const REQUESTS = 200;
const WARM_UP_SECONDS = 1;
const FORMS = { protobuf: 'dis-protobuf', JSON: 'dis' } as const;
type Form = keyof typeof FORMS;
/** The aim is for puts: what is saved of a get is less than what the socket costs. */
const PUT_AIM = 2;

const SHAPE = { payloadBytes: RECORD_BYTES, records: RECORDS_PER_REQUEST } as const;

interface Bench {
  readonly context: BenchContext;
  readonly sluice: Sluice;
  readonly putFloor: ChildServer;
  readonly getFloor: ChildServer;
}

export async function benchProtobuf(context: BenchContext): Promise<Section> {
  const { directory } = context;
  const file = join(directory, 'get-floor');
  await writeFile(file, randomBytes(REQUESTS * RECORDS_PER_REQUEST * RECORD_BYTES));
  const floors = join(import.meta.dirname, '../floors');
  const sluice = await Sluice.start(join(directory, 'data'));
  const putFloor = await startChild(join(floors, 'put-floor.ts'), [join(directory, 'put-floor')]);
  const getFloorArguments = [file, String(RECORD_BYTES), String(RECORDS_PER_REQUEST)];
  const getFloor = await startChild(join(floors, 'get-floor.ts'), getFloorArguments);
  try {
    const bench = { context, sluice, putFloor, getFloor };
    const puts = await measure(bench, 'put', putContestants);
    const rss = [await peakRss(sluice.server.pid)];
    await resetPeakRss(sluice.server.pid);
    await sluice.createStream('read', PARTITIONS);
    await sluice.fill(context.load, 'read', PARTITIONS, REQUESTS);
    const gets = await measure(bench, 'get', getContestants);
    rss.push(await peakRss(sluice.server.pid));
    return {
      title: 'Protobuf',
      blocks: [
        `Records a second, ${RECORDS_PER_REQUEST} × 1 KiB a request, ${PARTITIONS} partitions. The floors are those of the JSON ` +
          'benchmarks above. CPU: of the process, protobuf / JSON / floor.',
        table(
          ['requests', 'protobuf', 'JSON', 'floor (JSON)', 'protobuf : JSON', 'protobuf : floor', 'CPU a record'],
          [...puts, ...gets],
        ),
        `Peak RSS of the server: ${rss.map((each) => each.toFixed(0)).join(' MB in puts, ')} MB in gets ` +
          `(${verdict(Math.max(...rss), '≤', 300, ' MB')}).`,
      ],
    };
  } finally {
    await Promise.all([sluice.server.stop(), putFloor.stop(), getFloor.stop()]);
  }
}

type MakeContestants = (bench: Bench, connections: number, seconds: number) => Promise<Contestant<LoadResult>[]>;

async function measure(bench: Bench, kind: 'put' | 'get', make: MakeContestants): Promise<string[][]> {
  const { context } = bench;
  const rows: string[][] = [];
  for (const connections of CONNECTIONS) {
    context.progress(`protobuf: ${kind}, ${connections} connections`);
    for (const { run } of await make(bench, connections, WARM_UP_SECONDS)) await run();
    const results = await interleave(context.repeats, await make(bench, connections, context.seconds));
    const rate = (name: string) => results.get(name)!.map((result) => result.records / result.seconds);
    const cpu = (name: string) => median(results.get(name)!.map((result) => result.cpu)).toFixed(1);
    const [protobuf, json, floor] = [rate('protobuf'), rate('JSON'), rate('floor')];
    const toFloor = ratios(protobuf, floor);
    rows.push([
      `${kind}, ${connections} conn.`,
      spread(protobuf),
      spread(json),
      spread(floor),
      ratioSpread(ratios(protobuf, json)),
      `${ratioSpread(toFloor)}${kind === 'put' ? ` ${verdict(median(toFloor), '≥', PUT_AIM)}` : ''}`,
      `${cpu('protobuf')} / ${cpu('JSON')} / ${cpu('floor')} µs`,
    ]);
  }
  return rows;
}

/** The same contestants in both kinds: a floor and each form of Sluice. */
function contestants(
  floor: () => Promise<LoadResult>,
  own: (form: Form) => Promise<LoadResult>,
): Contestant<LoadResult>[] {
  const forms = Object.keys(FORMS) as Form[];
  return [{ name: 'floor', run: floor }, ...forms.map((name) => ({ name, run: () => own(name) }))];
}

async function putContestants(
  { context, sluice, putFloor }: Bench,
  connections: number,
  seconds: number,
): Promise<Contestant<LoadResult>[]> {
  const { load, directory } = context;
  const put = { ...SHAPE, kind: 'put', stream: 'bench' } as const;
  return contestants(
    async () => {
      settleDisk(directory);
      const url = urlOf(putFloor);
      const traffic: Traffic = { ...put, dialect: 'dis', path: '/' };
      const result = await load.run({ pid: putFloor.pid, url, connections, seconds, traffic });
      await fetch(`${url}/reset`, { method: 'POST' });
      return result;
    },
    async (form) => {
      await sluice.createStream('bench', PARTITIONS);
      settleDisk(directory);
      const traffic: Traffic = { ...put, dialect: FORMS[form], path: sluice.recordsPath, token: sluice.token };
      const { baseUrl: url, pid } = sluice.server;
      const result = await load.run({ pid, url, connections, seconds, traffic });
      await sluice.deleteStream('bench');
      return result;
    },
  );
}

/** Made anew for every shape, since cursors grow old. */
async function getContestants(
  { context, sluice, getFloor }: Bench,
  connections: number,
  seconds: number,
): Promise<Contestant<LoadResult>[]> {
  const { load } = context;
  const get = { ...SHAPE, kind: 'get' } as const;
  const cursors = await sluice.cursors('read', PARTITIONS);
  return contestants(
    () => {
      const traffic: Traffic = { ...get, dialect: 'dis', path: '/', cursors: ['0'] };
      return load.run({ pid: getFloor.pid, url: urlOf(getFloor), connections, seconds, traffic });
    },
    (form) => {
      const { baseUrl: url, pid } = sluice.server;
      const traffic: Traffic = { ...get, dialect: FORMS[form], path: sluice.recordsPath, token: sluice.token, cursors };
      return load.run({ pid, url, connections, seconds, traffic });
    },
  );
}
