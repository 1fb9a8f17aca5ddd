/** Getting records over HTTP: pages of any size, their limits, and the cursor to go on with. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Target } from '../../support/api-client.ts';
import { DisClient, toBase64, type RecordToPut } from '../../support/dis-client.ts';
import { expectError, expectJson } from '../../support/expect.ts';

const MEGABYTE = 1024 * 1024;
const SIZES = [10, 1, 100, 7, 50, 3, 1000, 20];

export function runGetRecordsConformance(getTarget: () => Target): void {
  describe('get records', () => {
    const prefix = `g${randomBytes(4).toString('hex')}`;
    let dis: DisClient;

    before(async () => (dis = await DisClient.login(getTarget())));
    after(() => dis.close());

    /** Hands a new stream of one partition to `check` and deletes it afterwards. */
    async function withStream(check: (stream: string) => Promise<void>): Promise<void> {
      const stream = `${prefix}-${randomBytes(4).toString('hex')}`;
      await dis.createStream(stream);
      try {
        await check(stream);
      } finally {
        await dis.deleteStream(stream);
      }
    }

    const dataOf = (records: readonly { readonly data: unknown }[]) => records.map(({ data }) => data);

    /** A stream of one partition with records of those sizes, in puts of two. */
    const withRecords = (check: (stream: string, data: readonly unknown[]) => Promise<void>) =>
      withStream(async (stream) => {
        const records = SIZES.map((size) => ({ data: toBase64(randomBytes(size)) }));
        for (let i = 0; i < records.length; i += 2) await dis.store(stream, records.slice(i, i + 2));
        await check(stream, dataOf(records));
      });

    test('pages of any number of records add up to the whole', async () => {
      await withRecords(async (stream, data) => {
        for (const limit of [1, 2, 3, 7, 8, 9, 10_000]) {
          const records = await dis.readAll(stream, 0, { limit });
          assert.deepEqual(dataOf(records), data);
          assert.deepEqual(
            records.map(({ sequence_number }) => Number(sequence_number)),
            SIZES.map((_, i) => i),
          );
          const first = await dis.page(await dis.cursor(stream, 0), { limit });
          assert.equal(first.records.length, Math.min(limit, SIZES.length));
        }
      });
    });

    test('limit is 1 to 10000, and 1000 when it is absent', async () => {
      await withStream(async (stream) => {
        await dis.store(stream, new Array<RecordToPut>(1001).fill({ data: 'YQ==' }));
        const cursor = await dis.cursor(stream, 0);
        assert.equal((await dis.page(cursor)).records.length, 1000);
        assert.equal((await dis.page(cursor, { limit: '' })).records.length, 1000);
        assert.equal((await dis.page(cursor, { limit: 10_000 })).records.length, 1001);
        for (const limit of [0, -1, 10_001, 1.5, 'many']) {
          expectError(await dis.get(cursor, { limit }), 400, 'DIS.4200', /\[limit\]/);
        }
        for (const max_fetch_bytes of [0, -1, 1.5, 'x']) {
          expectError(await dis.get(cursor, { max_fetch_bytes }), 400, 'DIS.4200', /\[max_fetch_bytes\]/);
        }
        assert.equal((await dis.page(cursor, { app_name: 'ignored' })).records.length, 1000);
      });
    });

    test('max_fetch_bytes counts payload, on both sides of every record', async () => {
      await withRecords(async (stream, data) => {
        const cursor = await dis.cursor(stream, 0);
        let sum = 0;
        for (const [count, size] of SIZES.entries()) {
          sum += size;
          const fits = await dis.page(cursor, { max_fetch_bytes: sum });
          assert.deepEqual(dataOf(fits.records), data.slice(0, count + 1));
          if (sum === SIZES[0]) continue;
          const less = await dis.page(cursor, { max_fetch_bytes: sum - 1 });
          assert.deepEqual(dataOf(less.records), data.slice(0, count));
          // The page goes on exactly where this one ended.
          assert.deepEqual(dataOf((await dis.page(less.next)).records), data.slice(count));
        }
        const both = await dis.page(cursor, { max_fetch_bytes: sum, limit: 2 });
        assert.equal(both.records.length, 2);
      });
    });

    test('a record larger than max_fetch_bytes: nothing, and the cursor stays', async () => {
      await withRecords(async (stream, data) => {
        const answer = await dis.get(await dis.cursor(stream, 0), { max_fetch_bytes: SIZES[0]! - 1 });
        expectJson(answer);
        assert.deepEqual(answer.json.records, []);
        assert.deepEqual(dataOf((await dis.page(answer.json.next_partition_cursor as string)).records), data);
      });
    });

    test('one answer is bounded though nobody asks for that', async () => {
      await withStream(async (stream) => {
        const data = toBase64(Buffer.alloc(MEGABYTE));
        const five = new Array<RecordToPut>(5).fill({ data });
        for (let i = 0; i < 3; i += 1) await dis.store(stream, five);
        const cursor = await dis.cursor(stream, 0);
        const { records, next } = await dis.page(cursor, { max_fetch_bytes: 1e12 });
        assert.equal(records.length, 10);
        assert.equal((await dis.page(next)).records.length, 5);
      });
    });

    test('at the end: no records, a cursor all the same, and what comes later is found with it', async () => {
      await withStream(async (stream) => {
        const empty = await dis.get(await dis.cursor(stream, 0));
        assert.deepEqual(Object.keys(empty.json as object).toSorted(), [
          'millis_behind_latest',
          'next_partition_cursor',
          'records',
        ]);
        assert.deepEqual(empty.json.records, []);
        assert.equal(empty.json.millis_behind_latest, 0);
        await dis.store(stream, [{ data: 'YQ==' }]);
        const { records, next } = await dis.page(empty.json.next_partition_cursor as string);
        assert.deepEqual(dataOf(records), ['YQ==']);
        assert.deepEqual((await dis.page(next)).records, []);
        await dis.store(stream, [{ data: 'Yg==' }]);
        assert.deepEqual(dataOf((await dis.page(next)).records), ['Yg==']);
        // A cursor is used up by nothing.
        assert.deepEqual(dataOf((await dis.page(next)).records), ['Yg==']);
      });
    });

    test('millis_behind_latest is the age of the next record', async () => {
      await withStream(async (stream) => {
        await dis.store(stream, [{ data: 'YQ==' }, { data: 'Yg==' }]);
        const cursor = await dis.cursor(stream, 0);
        const behind = async (query: Record<string, number>) =>
          (await dis.get(cursor, query)).json.millis_behind_latest as number;
        while ((await behind({ limit: 1 })) < 20);
        assert.equal(await behind({ limit: 2 }), 0);
        const none = await dis.page(cursor, { limit: 1 });
        assert.ok((await behind({ max_fetch_bytes: 1 })) >= 20);
        assert.equal((await dis.get(none.next)).json.millis_behind_latest, 0);
      });
    });

    test('what is no cursor', async () => {
      for (const query of [
        {},
        { 'partition-cursor': '' },
        { 'partition-cursor': 'x' },
        { 'partition-cursor': 'x'.repeat(513) },
      ]) {
        expectError(await dis.call('GET', '/records', { query }), 400, 'DIS.4217');
      }
    });
  });
}
