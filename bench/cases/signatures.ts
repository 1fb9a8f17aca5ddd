/**
 * What a signature costs beside a token: the verification alone, in this process, and puts over HTTP. The floor of a
 * verification is what none can do without: the SHA-256 of the body and of the signed text, and one HMAC.
 */
import { createHmac, hash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CREDENTIALS } from '../../test/support/server.ts';
import {
  SIGNATURE_FAMILIES,
  type RequestSigner,
  type SignatureFamily,
  type SigningHabits,
} from '../../test/support/sign.ts';
import { ACCOUNT, arrive, openSignatures, verify, type SignaturesRig } from '../../test/support/signatures.ts';
import { Tokens } from '../../src/auth/tokens.ts';
import { systemRandom as random } from '../../src/platform/random.ts';
import type { BenchContext } from '../harness/context.ts';
import { interleave, type Contestant } from '../harness/interleave.ts';
import { settleDisk } from '../harness/machine.ts';
import { table, type Section } from '../harness/markdown.ts';
import { RECORD_BYTES, RECORDS_PER_REQUEST, Sluice } from '../harness/sluice.ts';
import { median, ratios, ratioSpread, spread } from '../harness/stats.ts';
import type { LoadResult } from '../load/load-generator.ts';

const BODIES = [1024, 500 * 1024];
const CONNECTIONS = 4;
const PARTITIONS = 4;
/** Between two looks at the clock. */
const AT_ONCE = 50;
/** The client that needs the most tries, on a port of its own and with an empty parameter. */
const PYTHON: SigningHabits = { portlessHost: true, bareEmptyNames: true, signedHeaders: [] };

export async function benchSignatures(context: BenchContext): Promise<Section> {
  return {
    title: 'Signatures',
    blocks: [
      'Microseconds of processor time for one request to be known for its sender’s, keys and tokens remembered. Floor: SHA-256 of the body ' +
        'and of 300 bytes, and one HMAC. `Python` is the client that needs three tries; `wrong` a signature that fits none.',
      await verifications(context),
      `Puts of ${RECORDS_PER_REQUEST} × ${RECORD_BYTES} bytes over ${CONNECTIONS} connections, records a second.`,
      await puts(context),
    ],
  };
}

async function verifications({ repeats, seconds, progress }: BenchContext): Promise<string> {
  await using rig = await openSignatures();
  const rows: string[][] = [];
  for (const bytes of BODIES) {
    progress(`signatures: a body of ${bytes} bytes`);
    const contestants = await verifiers(rig, randomBytes(bytes), seconds / 10);
    for (const { run } of contestants) await run();
    const results = await interleave(repeats, contestants);
    const floor = results.get('floor')!;
    for (const [name, micros] of results) {
      rows.push([
        `${bytes / 1024} KiB`,
        name,
        spread(micros, 1),
        name === 'floor' ? '' : ratioSpread(ratios(micros, floor)),
        name === 'floor' ? '' : (median(micros) - median(floor)).toFixed(1),
      ]);
    }
  }
  return table(['body', 'request with', 'µs', ': floor', 'above the floor, µs'], rows);
}

async function verifiers(rig: SignaturesRig, body: Buffer, seconds: number): Promise<Contestant<number>[]> {
  const { catalog, clock, signatures } = rig;
  const tokens = new Tokens({ db: catalog.db, clock, random, lifeSeconds: 3600 });
  const { token } = await tokens.issue(ACCOUNT.user, ACCOUNT.project);
  await tokens.verify(token);
  const { permanent: accessKey, secretKey } = ACCOUNT;
  const request = { method: 'POST', path: '/v2/p1/records/?start_time=&label=x', projectId: 'p1', body };
  const signed = (family: SignatureFamily, habits?: SigningHabits) => {
    const arriving = arrive({ family, accessKey, secretKey, date: new Date(clock.now()) }, request, habits);
    return () => verify(signatures, arriving);
  };
  const wrong = signed('chained', {
    contentHash: hash('sha256', body),
    portlessHost: true,
    lowerCaseNames: true,
    derivationRegion: 'x',
  });
  const text = 'x'.repeat(300);
  const each: readonly (readonly [string, () => unknown])[] = [
    [
      'floor',
      () =>
        createHmac('sha256', text)
          .update(hash('sha256', text) + hash('sha256', body))
          .digest(),
    ],
    ['token', () => tokens.cached(token)],
    ...SIGNATURE_FAMILIES.map((family) => [family, signed(family)] as const),
    ['derived-chained, Python', signed('derived-chained', PYTHON)],
    ['wrong', wrong],
  ];
  return each.map(([name, once]) => ({ name, run: () => microsecondsEach(once, seconds) }));
}

/** Of processor time: what else runs on the machine does not count. */
async function microsecondsEach(once: () => unknown, seconds: number): Promise<number> {
  const start = process.cpuUsage();
  for (let count = 0; ;) {
    for (let i = 0; i < AT_ONCE; i += 1) await once();
    count += AT_ONCE;
    const { user, system } = process.cpuUsage(start);
    if (user + system >= seconds * 1e6) return (user + system) / count;
  }
}

async function puts(context: BenchContext): Promise<string> {
  const sluice = await Sluice.start(join(context.directory, 'data'));
  try {
    const { accessKey, secretKey } = CREDENTIALS;
    const contestants: Contestant<LoadResult>[] = [
      putter(context, sluice, 'token', { token: sluice.token }),
      ...SIGNATURE_FAMILIES.map((family) =>
        putter(context, sluice, family, { signer: { family, accessKey, secretKey } }),
      ),
    ];
    context.progress('signatures: puts');
    for (const { run } of contestants) await run();
    const results = await interleave(context.repeats, contestants);
    const figures = (name: string, figure: (result: LoadResult) => number) => results.get(name)!.map(figure);
    const rate = ({ records, seconds }: LoadResult) => records / seconds;
    const token = figures('token', rate);
    const cpu = (name: string) => figures(name, (result) => result.cpu);
    const rows = [...results.keys()].map((name) => [
      name,
      spread(figures(name, rate)),
      name === 'token' ? '' : ratioSpread(ratios(figures(name, rate), token)),
      `${median(cpu(name)).toFixed(2)} µs`,
      name === 'token' ? '' : ratioSpread(ratios(cpu(name), cpu('token'))),
    ]);
    return table(['request with', 'records/s', ': token', 'CPU a record', ': token'], rows);
  } finally {
    await sluice.server.stop();
  }
}

function putter(
  { directory, load, seconds }: BenchContext,
  sluice: Sluice,
  name: string,
  identity: { readonly token: string } | { readonly signer: RequestSigner },
): Contestant<LoadResult> {
  return {
    name,
    run: async () => {
      await sluice.createStream('bench', PARTITIONS);
      settleDisk(directory);
      const { recordsPath: path, server } = sluice;
      const shape = { payloadBytes: RECORD_BYTES, records: RECORDS_PER_REQUEST };
      const traffic = { kind: 'put', dialect: 'dis', path, stream: 'bench', ...shape, ...identity } as const;
      const result = await load.run({
        pid: server.pid,
        url: server.baseUrl,
        connections: CONNECTIONS,
        seconds,
        traffic,
      });
      await sluice.deleteStream('bench');
      return result;
    },
  };
}
