/** Cursors over HTTP: the five types with both sides of every range, and what is no cursor of this stream. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DisClient, toBase64 } from '../../support/dis-client.ts';
import { expectError, expectJson } from '../../support/expect.ts';
import type { TwoProjects } from '../../support/two-projects.ts';

const HOUR_MS = 3_600_000;
const RETENTION_HOURS = 24;

export function runCursorsConformance(getTarget: () => TwoProjects): void {
  describe('cursors', () => {
    const stream = `c${randomBytes(4).toString('hex')}`;
    const empty = `${stream}-empty`;
    let dis: DisClient;
    let other: DisClient;

    before(async () => {
      const target = getTarget();
      dis = await DisClient.login(target);
      other = await DisClient.login(target, { projectId: target.otherProjectId });
      await dis.createStream(stream, 2);
      await dis.createStream(empty);
      for (const text of ['0', '1', '2', '3', '4']) {
        await dis.store(stream, [{ data: toBase64(text), partition_id: '0' }]);
      }
    });
    after(async () => {
      await dis.deleteStream(stream);
      await dis.deleteStream(empty);
      dis.close();
      other.close();
    });

    /** The payloads that a cursor leads to. */
    const read = async (cursor: string) =>
      (await dis.page(cursor)).records.map(({ data }) => Buffer.from(data, 'base64').toString()).join('');
    const from = async (query: Record<string, string | number>) => read(await dis.cursor(stream, 0, query));
    const refuses = async (query: Record<string, string | number>, code: string, message?: RegExp) =>
      expectError(await dis.getCursor(stream, 0, query), 400, code, message);

    test('the answer is one short text that needs no escaping in a URL', async () => {
      const answer = await dis.getCursor(stream, 'shardId-0000000000', { 'cursor-type': 'LATEST' });
      expectJson(answer);
      assert.deepEqual(Object.keys(answer.json as object), ['partition_cursor']);
      assert.match(answer.json.partition_cursor as string, /^[A-Za-z0-9_-]{1,512}$/);
    });

    test('AT_SEQUENCE_NUMBER takes every number from the oldest record to the next one', async () => {
      for (const n of [0, 1, 4]) {
        const query = { 'cursor-type': 'AT_SEQUENCE_NUMBER', 'starting-sequence-number': n };
        assert.equal(await from(query), '01234'.slice(n));
      }
      const cursor = await dis.cursor(stream, 1, { 'starting-sequence-number': 0 });
      assert.equal(await read(cursor), '');
      await refuses(
        { 'starting-sequence-number': 6 },
        'DIS.4224',
        /^Sequence_number out of range\. \[6\]\[ should be within \]\[0\]\[ \]\[5\]$/,
      );
      await refuses({ 'starting-sequence-number': '9223372036854775807' }, 'DIS.4224', /\[9223372036854775807\]/);
    });

    test('AFTER_SEQUENCE_NUMBER takes every number from just before the oldest record to the newest', async () => {
      for (const n of [0, 3, 4]) {
        const query = { 'cursor-type': 'AFTER_SEQUENCE_NUMBER', 'starting-sequence-number': n };
        assert.equal(await from(query), '01234'.slice(n + 1));
      }
      const after5 = { 'cursor-type': 'AFTER_SEQUENCE_NUMBER', 'starting-sequence-number': 5 };
      await refuses(after5, 'DIS.4224', /^Sequence_number out of range\. \[5\]\[ should be within \]\[-1\]\[ \]\[4\]$/);
      const none = await dis.getCursor(empty, 0, { ...after5, 'starting-sequence-number': 0 });
      expectError(none, 400, 'DIS.4224', /\[0\]\[ should be within \]\[-1\]\[ \]\[-1\]$/);
    });

    test('TRIM_HORIZON is the oldest record, LATEST what comes next; a starting number is not asked for', async () => {
      assert.equal(await from({ 'cursor-type': 'TRIM_HORIZON' }), '01234');
      assert.equal(
        await from({ 'cursor-type': 'TRIM_HORIZON', 'starting-sequence-number': 'x', timestamp: 'y' }),
        '01234',
      );
      const latest = await dis.cursor(stream, 0, { 'cursor-type': 'LATEST', 'starting-sequence-number': 0 });
      const end = await dis.cursor(stream, 0, { 'starting-sequence-number': 5 });
      const newest = { 'cursor-type': 'AFTER_SEQUENCE_NUMBER', 'starting-sequence-number': 4 };
      const last = await dis.cursor(stream, 0, newest);
      for (const cursor of [latest, end, last]) assert.equal(await read(cursor), '');
      const name = `${stream}-later`;
      await dis.createStream(name);
      const before = await dis.cursor(name, 0, { 'cursor-type': 'LATEST' });
      await dis.store(name, [{ data: toBase64('new') }]);
      assert.equal(await read(before), 'new');
      assert.equal(await read(await dis.cursor(name, 0, { 'cursor-type': 'LATEST' })), '');
      await dis.deleteStream(name);
    });

    test('AT_TIMESTAMP is the first record that arrived at that time or later', async () => {
      const name = `${stream}-time`;
      await dis.createStream(name);
      const times: number[] = [];
      for (const text of ['a', 'b', 'c']) {
        const began = Date.now();
        while (Date.now() <= began + 5);
        // The producer's own timestamp does not count.
        await dis.store(name, [{ data: toBase64(text), timestamp: 1 }, { data: toBase64(text.toUpperCase()) }]);
        const all = await dis.readAll(name, 0);
        times.push(all.at(-1)!.timestamp);
      }
      const [a = 0, b = 0, c = 0] = times;
      const at = async (timestamp: number) =>
        read(await dis.cursor(name, 0, { 'cursor-type': 'AT_TIMESTAMP', timestamp }));
      assert.equal(await at(a), 'aAbBcC');
      assert.equal(await at(a - 1000), 'aAbBcC');
      assert.equal(await at(a + 1), 'bBcC');
      assert.equal(await at(b), 'bBcC');
      assert.equal(await at(b + 1), 'cC');
      assert.equal(await at(c), 'cC');
      assert.equal(await at(c + 1), '');
      await dis.deleteStream(name);
    });

    test('AT_TIMESTAMP in the future is the end; before retention it is refused', async () => {
      const at = (timestamp: number | string) => ({ 'cursor-type': 'AT_TIMESTAMP', timestamp });
      assert.equal(await from(at(Date.now() + HOUR_MS)), '');
      assert.equal(await from(at('999999999999999')), '');
      assert.equal(await from(at(Date.now() - RETENTION_HOURS * HOUR_MS + 60_000)), '01234');
      const expired = Date.now() - RETENTION_HOURS * HOUR_MS - 60_000;
      await refuses(at(expired), 'DIS.4300', /^The timestamp is expired, timestamp should be larger than \d{13}$/);
      await refuses(at(0), 'DIS.4300', /^The timestamp is expired/);
      for (const wrong of ['', '-1', '1.5', 'now', '1'.repeat(16)]) {
        await refuses(at(wrong), 'DIS.4200', /\[timestamp\]/);
      }
      await refuses({ 'cursor-type': 'AT_TIMESTAMP' }, 'DIS.4200', /\[timestamp\]/);
    });

    test('the type defaults to AT_SEQUENCE_NUMBER, which needs a number', async () => {
      assert.equal(await from({ 'starting-sequence-number': 2 }), '234');
      assert.equal(await from({ 'cursor-type': '', 'starting-sequence-number': '002' }), '234');
      for (const wrong of ['', '-1', '1.5', 'x', '9223372036854775808', '1'.repeat(20), ' 1']) {
        await refuses({ 'starting-sequence-number': wrong }, 'DIS.4216');
        await refuses({ 'cursor-type': 'AFTER_SEQUENCE_NUMBER', 'starting-sequence-number': wrong }, 'DIS.4216');
      }
      for (const type of ['latest', 'AT_TIME', 'x'.repeat(1000)]) {
        await refuses({ 'cursor-type': type, 'starting-sequence-number': 0 }, 'DIS.4215');
      }
    });

    test('streams and partitions: by name or id, in both spellings, and those that are not there', async () => {
      const { id } = await dis.describe(stream);
      const ask = (query: Record<string, string>) =>
        dis.call('GET', '/cursors', { query: { 'cursor-type': 'LATEST', ...query } });
      const partition = { 'partition-id': '0' };
      expectJson(await ask({ 'stream-id': id, ...partition }));
      expectJson(await ask({ 'stream-name': 'unknown', 'stream-id': id, ...partition }));
      expectJson(await ask({ 'stream-name': stream, 'partition-id': 'shardId-0000000001' }));
      expectError(await ask({ 'stream-name': 'unknown', ...partition }), 400, 'DIS.4301');
      expectError(await ask(partition), 400, 'DIS.4200', /\[stream-name\]/);
      expectError(await ask({ 'stream-name': stream }), 400, 'DIS.4201');
      for (const wrong of ['x', '-1', 'shardId-', 'shardId-00000000000']) {
        expectError(await ask({ 'stream-name': stream, 'partition-id': wrong }), 400, 'DIS.4201');
      }
      for (const missing of ['2', 'shardId-0000000002', '9999999999']) {
        expectError(await ask({ 'stream-name': stream, 'partition-id': missing }), 400, 'DIS.4302');
      }
    });

    test('a cursor with any character changed, added or missing is none', async () => {
      const { next } = await dis.page(await dis.cursor(stream, 0), { limit: 2 });
      assert.equal(await read(next), '234');
      // What is padded as Base64 usually is stays the same cursor.
      assert.equal(await read(next.padEnd(Math.ceil(next.length / 4) * 4, '=')), '234');
      const changed = [...next].map(
        (letter, i) => `${next.slice(0, i)}${letter === 'A' ? 'B' : 'A'}${next.slice(i + 1)}`,
      );
      const bits = [...next].map((letter, i) => {
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
        return `${next.slice(0, i)}${alphabet[alphabet.indexOf(letter) ^ 1]}${next.slice(i + 1)}`;
      });
      const cut = Array.from({ length: next.length }, (_, i) => next.slice(0, i)).filter((text) => text !== '');
      const forged = [
        ...changed,
        ...bits,
        ...cut,
        `${next}A`,
        `A${next}`,
        next.toLowerCase(),
        ` ${next}`,
        `${next}!`,
        `${next}%`,
      ];
      const answers = await Promise.all(forged.map((cursor) => dis.get(cursor)));
      for (const answer of answers) expectError(answer, 400, 'DIS.4217');
    });

    test('a cursor is bound to its stream: another project may not use it, and a new stream of the name does not know it', async () => {
      const name = `${stream}-bound`;
      await dis.createStream(name);
      await other.createStream(name);
      await dis.store(name, [{ data: toBase64('secret') }]);
      const cursor = await dis.cursor(name, 0);
      assert.equal(await read(cursor), 'secret');
      expectError(await other.get(cursor), 400, 'DIS.4217');
      const { id } = await dis.describe(name);
      const foreign = { 'stream-id': id, 'partition-id': '0', 'cursor-type': 'LATEST' };
      expectError(await other.call('GET', '/cursors', { query: foreign }), 400, 'DIS.4301');
      expectError(
        await other.call('POST', '/records', { body: { stream_id: id, records: [{ data: 'YQ==' }] } }),
        400,
        'DIS.4301',
      );

      await other.deleteStream(name);
      await dis.deleteStream(name);
      expectError(await dis.get(cursor), 400, 'DIS.4217');
      await dis.createStream(name);
      await dis.store(name, [{ data: toBase64('new') }]);
      expectError(await dis.get(cursor), 400, 'DIS.4217');
      await dis.deleteStream(name);
    });
  });
}
