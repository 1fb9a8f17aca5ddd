/** What is stored stays: across restarts and kills, over many segments of the log, and until its stream is deleted. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { checkRecords, readStream } from '../../support/checker.ts';
import type { Target } from '../../support/api-client.ts';
import { DisClient, eventually, toBase64 } from '../../support/dis-client.ts';
import { Load } from '../../support/load.ts';
import { seededFraction } from '../../support/random.ts';

export interface StorageTarget extends Target {
  /** Ends the server, with or without notice, and starts it again; resolves to its new address. */
  readonly restart: (how: 'SIGTERM' | 'SIGKILL') => Promise<string>;
  /** Bytes that the record log takes on disk. */
  readonly logBytes: () => Promise<number>;
}

const MEGABYTE = 1024 * 1024;

/** The segments of the server's log are of one megabyte, and it looks for what has expired every second. */
export function runStorageConformance(getTarget: () => StorageTarget): void {
  describe('storage', () => {
    const stream = `k${randomBytes(4).toString('hex')}`;
    let target: StorageTarget;
    let dis: DisClient;

    before(async () => {
      target = getTarget();
      dis = await DisClient.login(target);
    });
    after(() => dis.close());

    test('records, their times and the next numbers survive a restart and a kill', async () => {
      await dis.createStream(stream, 3);
      const load = new Load({ stream, putters: 2, records: 10, filler: 50_000, fraction: seededFraction(3) });
      await load.putSome(dis, 20);
      for (const how of ['SIGTERM', 'SIGKILL'] as const) {
        const records = await dis.readAll(stream, 0);
        dis = dis.at(await target.restart(how));
        assert.deepEqual(await dis.readAll(stream, 0), records);
        await load.putSome(dis, 5);
        checkRecords(await readStream(dis, stream), load);
      }
      assert.ok((await target.logBytes()) > 3 * MEGABYTE, 'over several segments');
      await dis.deleteStream(stream);
    });

    test('the space of a deleted stream comes back, that of another one does not, and nothing reappears', async () => {
      const kept = `${stream}-kept`;
      const gone = `${stream}-gone`;
      await dis.createStream(kept);
      await dis.createStream(gone);
      const large = toBase64(randomBytes(MEGABYTE / 4));
      for (let i = 0; i < 40; i += 1) {
        await dis.store(gone, [{ data: large }]);
        await dis.store(kept, [{ data: toBase64(`kept ${i}`) }]);
      }
      const full = await target.logBytes();
      assert.ok(full > 10 * MEGABYTE);
      await dis.deleteStream(gone);
      await eventually('space comes back', target.logBytes, (bytes) => bytes < full - 8 * MEGABYTE);
      const check = async () =>
        assert.deepEqual(await readStream(dis, kept), [Array.from({ length: 40 }, (_, i) => `kept ${i}`)]);
      await check();
      dis = dis.at(await target.restart('SIGKILL'));
      await check();
      await dis.createStream(gone);
      assert.deepEqual(await readStream(dis, gone), [[]]);
      await dis.deleteStream(gone);
      await dis.deleteStream(kept);
    });
  });
}
