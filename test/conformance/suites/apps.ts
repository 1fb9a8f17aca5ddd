/** Apps over HTTP: made, listed, shown and deleted, and how far each has come in a stream. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DisClient, toBase64 } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import type { TwoProjects } from '../../support/two-projects.ts';

const QUOTA = 100;

export function runAppsConformance(getTarget: () => TwoProjects): void {
  describe('apps', () => {
    const prefix = `a${randomBytes(4).toString('hex')}`;
    const stream = `${prefix}-stream`;
    let dis: DisClient;
    let other: DisClient;

    before(async () => {
      const target = getTarget();
      dis = await DisClient.login(target);
      other = await DisClient.login(target, { projectId: target.otherProjectId });
      await dis.createStream(stream, 3);
      for (const count of [1, 2]) {
        const records = Array.from({ length: count }, () => ({ data: toBase64('x'), partition_id: String(count) }));
        await dis.store(stream, records);
      }
    });
    after(async () => {
      await dis.deleteStream(stream);
      dis.close();
      other.close();
    });

    const create = (name: unknown, at = dis) => at.call('POST', '/apps', { body: { app_name: name } });
    const made = async (name: string) => expectEmpty(await create(name), 201);
    const remove = async (...names: string[]) => {
      for (const name of names) expectEmpty(await dis.call('DELETE', `/apps/${name}`), 204);
    };
    const commit = async (app: string, partition: number, sequence: number, more: object = {}) =>
      expectEmpty(
        await dis.call('POST', '/checkpoints', {
          body: {
            app_name: app,
            checkpoint_type: 'LAST_READ',
            stream_name: stream,
            partition_id: String(partition),
            sequence_number: String(sequence),
            ...more,
          },
        }),
        201,
      );
    const list = (query: Record<string, string | number> = {}) => dis.call('GET', '/apps', { query });
    const state = (app: string, query: Record<string, string | number> = {}) =>
      dis.call('GET', `/apps/${app}/streams/${stream}`, { query: { checkpoint_type: 'LAST_READ', ...query } });

    test('an app is made with an empty answer, shown, and deleted for good', async () => {
      const name = `${prefix}-one`;
      const begin = Date.now();
      await made(name);
      const shown = await dis.call('GET', `/apps/${name}`);
      expectJson(shown);
      const { app_id, create_time, ...rest } = shown.json;
      assert.deepEqual(rest, { app_name: name, commit_checkpoint_stream_names: [] });
      assert.match(app_id, /^[A-Za-z0-9]{19}$/);
      assert.ok(create_time >= begin - 1000 && create_time <= Date.now() + 1000);
      expectError(await create(name), 400, 'DIS.4330');
      await remove(name);
      expectError(await dis.call('GET', `/apps/${name}`), 400, 'DIS.4332');
      expectError(await dis.call('DELETE', `/apps/${name}`), 400, 'DIS.4332');
      await made(name);
      assert.notEqual((await dis.call('GET', `/apps/${name}`)).json.app_id, app_id);
      await remove(name);
    });

    test('names: letters, digits, _ and -, up to 200 of them', async () => {
      const longest = prefix.padEnd(200, 'x');
      for (const name of [longest, `${prefix}_-9`]) {
        await made(name);
        await remove(name);
      }
      for (const name of ['', `${longest}x`, 'a b', 'a.b', 'ä', 5, null]) {
        expectError(await create(name), 400, 'DIS.4300');
      }
      expectError(await dis.call('POST', '/apps', { body: {} }), 400, 'DIS.4300', /\[app_name\]/);
      expectError(await dis.call('POST', '/apps'), 400, 'DIS.4202');
    });

    test('apps are those of a project', async () => {
      const name = `${prefix}-own`;
      await made(name);
      expectError(await other.call('GET', `/apps/${name}`), 400, 'DIS.4332');
      expectError(await other.call('DELETE', `/apps/${name}`), 400, 'DIS.4332');
      expectEmpty(await create(name, other), 201);
      await remove(name);
      expectJson(await other.call('GET', `/apps/${name}`));
      expectEmpty(await other.call('DELETE', `/apps/${name}/`), 204);
    });

    test('the list: in order of name, in pages, and of one stream', async () => {
      const names = [1, 2, 3, 4].map((n) => `${prefix}-list${n}`);
      for (const name of [...names].reverse()) await made(name);
      await commit(names[1]!, 0, 0);
      await commit(names[3]!, 1, 1);
      const pages: string[] = [];
      let after = `${prefix}-list`;
      for (const more of [true, false]) {
        const page = await list({ limit: 2, start_app_name: after });
        expectJson(page);
        assert.equal(page.json.total_number, 4);
        assert.equal(page.json.has_more_app, more);
        pages.push(...page.json.apps.map(({ app_name }: { app_name: string }) => app_name));
        after = pages.at(-1)!;
      }
      assert.deepEqual(pages, names);
      const ofStream = await list({ stream_name: stream });
      assert.equal(ofStream.json.total_number, 2);
      assert.deepEqual(
        ofStream.json.apps.map((app: Record<string, unknown>) => [
          app['app_name'],
          app['commit_checkpoint_stream_names'],
        ]),
        [
          [names[1], [stream]],
          [names[3], [stream]],
        ],
      );
      const shown = await dis.call('GET', `/apps/${names[3]}/`);
      assert.deepEqual(shown.json, ofStream.json.apps[1]);
      expectError(await list({ stream_name: 'none' }), 400, 'DIS.4301');
      for (const limit of [0, 101, 'x']) expectError(await list({ limit }), 400, 'DIS.4200', /\[limit\]/);
      for (const limit of [1, 100]) expectJson(await list({ limit }));
      await remove(...names);
    });

    test('the old version of the path makes and lists apps too', async () => {
      const name = `${prefix}-v3`;
      const path = `/v3/${dis.projectId}/apps`;
      const { token } = dis;
      expectEmpty(await dis.http.call('POST', path, { token, body: { app_name: name } }), 201);
      const listed = await dis.http.call('GET', `${path}/`, { token });
      assert.equal(listed.json.apps.at(-1).app_name, name);
      await remove(name);
    });

    test('the quota of apps, on both sides; what is refused leaves nothing behind', async () => {
      const { total_number: there } = (await list()).json;
      const names = Array.from({ length: QUOTA - there }, (_, index) => `${prefix}-quota${index}`);
      await Promise.all(names.map(made));
      expectError(await create(`${prefix}-more`), 400, 'DIS.4329', /\[100\]$/);
      assert.equal((await list()).json.total_number, QUOTA);
      await remove(names.pop()!);
      const two = await Promise.all(['x', 'y'].map((name) => create(`${prefix}-${name}`)));
      assert.deepEqual(two.map(({ status }) => status).sort(), [201, 400]);
      const left = two[0]!.status === 201 ? 'x' : 'y';
      await remove(...names, `${prefix}-${left}`);
    });

    test('the same app made many times at once is made once', async () => {
      const name = `${prefix}-race`;
      const answers = await Promise.all(Array.from({ length: 8 }, () => create(name)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 400, 400, 400, 400, 400, 400, 400]);
      await remove(name);
    });

    test('consumption state: nothing before the first commit, then every partition', async () => {
      const name = `${prefix}-state`;
      await made(name);
      expectError(await state(name), 400, 'DIS.4375');
      await commit(name, 2, 1, { metadata: 'half way' });
      const answer = await state(name);
      expectJson(answer);
      const partition = (number: number, next: number, sequence: string, metadata = '') => ({
        partition_id: `shardId-000000000${number}`,
        sequence_number: sequence,
        earliest_offset: 0,
        latest_offset: next,
        checkpoint_type: 'LAST_READ',
        status: 'ACTIVE',
        metadata,
      });
      assert.deepEqual(answer.json, {
        has_more: false,
        stream_name: stream,
        app_name: name,
        partition_consuming_states: [partition(0, 0, '-1'), partition(1, 1, '-1'), partition(2, 2, '1', 'half way')],
      });
      const { id } = await dis.describe(stream);
      for (const path of [`/apps/${name}/streams/${id}/`, `/apps/${name}/streams/none`]) {
        const byId = await dis.call('GET', path, { query: { checkpoint_type: 'LAST_READ', stream_id: id } });
        assert.deepEqual(byId.json, answer.json);
      }
      await remove(name);
    });

    test('consumption state: pages begin behind a shardId, and with a bare number', async () => {
      const name = `${prefix}-pages`;
      await made(name);
      await commit(name, 0, 0);
      const page = async (query: Record<string, string | number>) => {
        const answer = await state(name, query);
        expectJson(answer);
        const ids = answer.json.partition_consuming_states.map((one: { partition_id: string }) =>
          Number(one.partition_id.slice(-10)),
        );
        return [ids, answer.json.has_more];
      };
      assert.deepEqual(await page({ limit: 2 }), [[0, 1], true]);
      assert.deepEqual(await page({ limit: 2, start_partition_id: 'shardId-0000000001' }), [[2], false]);
      assert.deepEqual(await page({ limit: 3, start_partition_id: 'shardId-0000000000' }), [[1, 2], false]);
      assert.deepEqual(await page({ limit: 1000, start_partition_id: 0 }), [[0, 1, 2], false]);
      assert.deepEqual(await page({ limit: 1, start_partition_id: 1 }), [[1], true]);
      assert.deepEqual(await page({ start_partition_id: 3 }), [[], false]);
      for (const limit of [0, 1001]) expectError(await state(name, { limit }), 400, 'DIS.4200', /\[limit\]/);
      expectError(await state(name, { start_partition_id: 'x' }), 400, 'DIS.4201');
      expectError(await state(name, { checkpoint_type: 'LAST' }), 400, 'DIS.4200', /\[checkpoint_type\]/);
      expectError(await dis.call('GET', `/apps/${name}/streams/${stream}`), 400, 'DIS.4200', /\[checkpoint_type\]/);
      const missing = { query: { checkpoint_type: 'LAST_READ' } };
      expectError(await dis.call('GET', `/apps/${name}/streams/none`, missing), 400, 'DIS.4301');
      expectError(await dis.call('GET', `/apps/none/streams/${stream}`, missing), 400, 'DIS.4332');
      await remove(name);
    });
  });
}
