/** A disk that is really full: under the record log, and under the files that are delivered. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { readFolder } from '../support/buckets.ts';
import { checkDelivery, checkRecords, delivered, readStream } from '../support/checker.ts';
import { DisClient, eventually, toBase64 } from '../support/dis-client.ts';
import { expectError } from '../support/expect.ts';
import { Load } from '../support/load.ts';
import { seededFraction } from '../support/random.ts';
import { startServer, type ServerOptions, type TestServer } from '../support/server.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';

const MEGABYTE = 1024 * 1024;
const BALLAST_BYTES = 6 * MEGABYTE;
const STREAM = 'orders';

/** A small disk with a file on it that can be taken away, and a server that uses it; undefined with the test skipped. */
async function serverOnSmallDisk(
  t: TestContext,
  options: (disk: SmallDisk) => ServerOptions,
): Promise<{ readonly server: TestServer; readonly disk: SmallDisk; readonly ballast: string } | undefined> {
  const disk = await mountSmallDisk(24);
  if (typeof disk === 'string') {
    t.skip(disk);
    return undefined;
  }
  const ballast = join(disk.path, 'ballast');
  await writeFile(ballast, randomBytes(BALLAST_BYTES));
  const server = await startServer(options(disk));
  t.after(async () => {
    await server.stop();
    await disk.unmount();
  });
  return { server, disk, ballast };
}

const logOn =
  (megabytes: number) =>
  ({ path }: SmallDisk): ServerOptions => ({
    dataDir: join(path, 'data'),
    env: { SLUICE_RECORD_LOG_SEGMENT_BYTES: String(megabytes * MEGABYTE), SLUICE_LOG_LEVEL: 'silent' },
  });

describe('a full disk', () => {
  test('under the record log: puts are refused as a whole, reads go on, and with space all goes on', async (t) => {
    const rig = await serverOnSmallDisk(t, logOn(4));
    if (rig === undefined) return;
    const { server, ballast } = rig;
    let dis = await DisClient.login(server);
    t.after(() => dis.close());
    await dis.createStream(STREAM, 2);
    const load = new Load({ stream: STREAM, putters: 3, records: 4, filler: 200_000, fraction: seededFraction(1) });
    const putters = load.start(dis);
    await eventually('the disk is full', async () => load.refusals.length >= 10);
    await putters.stop();
    assert.deepEqual(new Set(load.refusals.map(({ status, code }) => `${status} ${code}`)), new Set(['507 DIS.5002']));
    assert.ok(load.acknowledged.length > 50);

    const fill = [{ data: toBase64(Buffer.alloc(MEGABYTE)) }, { data: toBase64(Buffer.alloc(MEGABYTE)) }];
    expectError(await dis.put(STREAM, fill), 507, 'DIS.5002');
    checkRecords(await readStream(dis, STREAM), load);

    await rm(ballast);
    await load.putSome(dis, 5);
    assert.equal(load.refusals.at(-1)?.status, 507);
    const refusals = load.refusals.length;
    checkRecords(await readStream(dis, STREAM), load);
    await load.putSome(dis, 1);
    assert.equal(load.refusals.length, refusals, 'nothing is refused any more');

    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await server.kill(signal);
      await server.restart();
      dis = dis.at(server.baseUrl);
      checkRecords(await readStream(dis, STREAM), load);
      await load.putSome(dis, 1);
    }
  });

  test('killed while the disk is full: what was acknowledged is there after the next start', async (t) => {
    const rig = await serverOnSmallDisk(t, logOn(2));
    if (rig === undefined) return;
    const { server, ballast } = rig;
    let dis = await DisClient.login(server);
    t.after(() => dis.close());
    await dis.createStream(STREAM, 2);
    const load = new Load({ stream: STREAM, putters: 3, records: 4, filler: 200_000, fraction: seededFraction(2) });
    const putters = load.start(dis);
    await eventually('the disk is full', async () => load.refusals.length > 0);
    await server.kill('SIGKILL');
    await putters.stop();
    await rm(ballast);
    await server.restart();
    dis = dis.at(server.baseUrl);
    await load.putSome(dis, 3);
    checkRecords(await readStream(dis, STREAM), load);
  });

  test('started while the disk is full: what is stored is read, and puts go on once there is space', async (t) => {
    const rig = await serverOnSmallDisk(t, logOn(2));
    if (rig === undefined) return;
    const { server, disk } = rig;
    let dis = await DisClient.login(server);
    t.after(() => dis.close());
    await dis.createStream(STREAM, 2);
    const load = new Load({ stream: STREAM, putters: 1, records: 4, filler: 2000, fraction: seededFraction(4) });
    await load.putSome(dis, 20);
    const brim = join(disk.path, 'brim');
    await assert.rejects(writeFile(brim, Buffer.alloc(32 * MEGABYTE)), { code: 'ENOSPC' });
    await server.kill('SIGKILL');
    await server.restart();
    dis = dis.at(server.baseUrl);
    checkRecords(await readStream(dis, STREAM), load);
    await rm(brim);
    await load.putSome(dis, 3);
    assert.deepEqual(load.refusals, []);
    checkRecords(await readStream(dis, STREAM), load);
  });

  test('under the delivered files: the task is ABNORMAL with the cause in its log, and recovers by itself', async (t) => {
    const rig = await serverOnSmallDisk(t, ({ path }) => ({
      env: { SLUICE_OBJECTS_DIR: path, SLUICE_DUMP_RETRY_MAX_SECONDS: '2', SLUICE_LOG_LEVEL: 'silent' },
    }));
    if (rig === undefined) return;
    const { server, disk, ballast } = rig;
    const dis = await DisClient.login(server);
    t.after(() => dis.close());
    await dis.createStream(STREAM);
    const taskId = await dis.addTask(STREAM, 'task');
    await dis.store(STREAM, [{ data: toBase64('small') }]);
    await delivered(dis, STREAM, 'task');
    expectError(await dis.showTask(STREAM, 'none'), 400, 'DIS.4354');

    expectOk(await dis.changeTasks(STREAM, 'stop', taskId));
    const megabyte = { data: toBase64('x'.repeat(MEGABYTE)) };
    for (let i = 0; i < 5; i += 1) await dis.store(STREAM, [megabyte, megabyte, megabyte, megabyte]);
    expectOk(await dis.changeTasks(STREAM, 'start', taskId));
    const state = async () => ((await dis.showTask(STREAM, 'task')).json as { state: string }).state;
    await eventually('the task is ABNORMAL', state, (seen) => seen === 'ABNORMAL');
    const [failed] = (await dis.wholeLog(taskId)).filter((entry) => entry.state === 1);
    assert.equal(failed?.errorCode, 'DIS.4310');
    assert.match(failed?.cause ?? '', /ENOSPC/);

    await rm(ballast);
    await delivered(dis, STREAM, 'task');
    const content = await readStream(dis, STREAM);
    const log = await dis.wholeLog(taskId);
    const objects = await readFolder(join(disk.path, 'bucket'));
    checkDelivery({ taskId, streamName: STREAM, delimiter: '\n', content, log, objects });
  });
});

function expectOk({ status, text }: { readonly status: number; readonly text: string }): void {
  assert.equal(status, 200, text);
}
