/** Checkpoints over HTTP: what may be committed, what is found again, and what is gone. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DisClient, toBase64 } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import type { TwoProjects } from '../../support/two-projects.ts';

type Members = Readonly<Record<string, unknown>>;

export function runCheckpointsConformance(getTarget: () => TwoProjects): void {
  describe('checkpoints', () => {
    const prefix = `k${randomBytes(4).toString('hex')}`;
    const stream = `${prefix}-stream`;
    const app = `${prefix}-app`;
    let dis: DisClient;
    let other: DisClient;

    before(async () => {
      const target = getTarget();
      dis = await DisClient.login(target);
      other = await DisClient.login(target, { projectId: target.otherProjectId });
      await dis.createStream(stream, 2);
      const records = Array.from({ length: 5 }, (_, index) => ({ data: toBase64(`${index}`), partition_id: '0' }));
      await dis.store(stream, records);
      await createApp(dis, app);
    });
    after(async () => {
      await dis.deleteStream(stream);
      expectEmpty(await dis.call('DELETE', `/apps/${app}`), 204);
      dis.close();
      other.close();
    });

    const createApp = async (at: DisClient, name: string) =>
      expectEmpty(await at.call('POST', '/apps', { body: { app_name: name } }), 201);
    const place = { app_name: app, checkpoint_type: 'LAST_READ', stream_name: stream, partition_id: '0' };
    const commit = (members: Members, at = dis) =>
      at.call('POST', '/checkpoints', { body: { ...place, sequence_number: '0', ...members } });
    const ask = (method: string, members: Members, at = dis) => {
      const entries = Object.entries({ ...place, ...members }).filter(([, value]) => value !== undefined);
      return at.call(method, '/checkpoints', { query: Object.fromEntries(entries) });
    };
    const get = async (members: Members = {}, at = dis) => {
      const answer = await ask('GET', members, at);
      expectJson(answer);
      return answer.json;
    };
    const NONE = { sequence_number: '-1', metadata: '' };

    test('a commit is found again; another one takes its place; each app and partition has its own', async () => {
      const second = `${app}-2`;
      await createApp(dis, second);
      assert.deepEqual(await get(), NONE);
      expectEmpty(await commit({ sequence_number: '3', metadata: 'three' }), 201);
      assert.deepEqual(await get(), { sequence_number: '3', metadata: 'three' });
      assert.deepEqual(await get({ partition_id: 'shardId-0000000000' }), { sequence_number: '3', metadata: 'three' });
      assert.deepEqual(await get({ partition_id: '1' }), NONE);
      assert.deepEqual(await get({ app_name: second }), NONE);
      expectEmpty(await commit({ sequence_number: '1' }), 201);
      assert.deepEqual(await get(), { sequence_number: '1', metadata: '' }, 'also back, and without metadata');
      expectEmpty(await dis.call('DELETE', `/apps/${second}`), 204);
    });

    test('every number from the oldest record to the next one may be committed, and no other', async () => {
      for (const sequence of ['0', '4', '5', '005', 2]) expectEmpty(await commit({ sequence_number: sequence }), 201);
      assert.deepEqual(await get(), { sequence_number: '2', metadata: '' });
      const range = /^Sequence_number out of range\. \[6\]\[ should be within \]\[0\]\[ \]\[5\]$/;
      expectError(await commit({ sequence_number: '6' }), 400, 'DIS.4224', range);
      expectError(await commit({ sequence_number: '9223372036854775807' }), 400, 'DIS.4224');
      expectEmpty(await commit({ partition_id: '1', sequence_number: '0' }), 201);
      expectError(await commit({ partition_id: '1', sequence_number: '1' }), 400, 'DIS.4224', /\[0\]\[ \]\[0\]$/);
      for (const wrong of ['-1', '', '1.5', 'x', '9223372036854775808', -1, 1.5, null, undefined, []]) {
        expectError(await commit({ sequence_number: wrong }), 400, 'DIS.4300', /sequence_number/);
      }
    });

    test('metadata: up to 1000 characters of anything', async () => {
      for (const metadata of ['é\n"\u0000', 'm'.repeat(1000), '', null]) {
        expectEmpty(await commit({ metadata }), 201);
        assert.equal((await get()).metadata, metadata ?? '');
      }
      expectError(await commit({ metadata: 'm'.repeat(1001) }), 400, 'DIS.4300', /\[metadata\]/);
    });

    test('what has to be said, and what is not there', async () => {
      for (const member of ['app_name', 'partition_id', 'checkpoint_type']) {
        expectError(await commit({ [member]: undefined }), 400, 'DIS.4300', new RegExp(member));
        expectError(await ask('GET', { [member]: undefined }), 400, 'DIS.4200', new RegExp(member));
      }
      expectError(await commit({ stream_name: '', stream_id: '' }), 400, 'DIS.4300', /stream_name/);
      expectError(await ask('GET', { stream_name: '' }), 400, 'DIS.4200', /stream_name/);
      expectError(await ask('DELETE', { stream_name: undefined }), 400, 'DIS.4200', /stream_name/);
      expectError(await ask('DELETE', { app_name: undefined }), 400, 'DIS.4200', /app_name/);
      expectError(await commit({ checkpoint_type: 'LAST' }), 400, 'DIS.4300');
      for (const method of ['GET', 'DELETE']) {
        expectError(await ask(method, { checkpoint_type: 'LAST' }), 400, 'DIS.4200', /checkpoint_type/);
      }
      for (const [members, code] of [
        [{ app_name: 'none' }, 'DIS.4332'],
        [{ stream_name: 'none' }, 'DIS.4301'],
        [{ partition_id: 'x' }, 'DIS.4201'],
        [{ partition_id: '-1' }, 'DIS.4201'],
        [{ partition_id: '2' }, 'DIS.4302'],
      ] as const) {
        expectError(await commit(members), 400, code);
        for (const method of ['GET', 'DELETE']) expectError(await ask(method, members), 400, code);
      }
    });

    test('the stream by its id', async () => {
      const { id } = await dis.describe(stream);
      expectEmpty(await commit({ stream_name: '', stream_id: id, sequence_number: '4' }), 201);
      assert.equal((await get({ stream_name: undefined, stream_id: id })).sequence_number, '4');
      assert.equal((await get()).sequence_number, '4');
      assert.equal((await get({ stream_name: id })).sequence_number, '4');
    });

    test('deleting: one partition or all, and again', async () => {
      for (const partition of ['0', '1']) expectEmpty(await commit({ partition_id: partition }), 201);
      for (const partition of ['shardId-0000000001', '1']) {
        expectEmpty(await ask('DELETE', { partition_id: partition }), 204);
      }
      assert.deepEqual(await get({ partition_id: '1' }), NONE);
      assert.equal((await get()).sequence_number, '0');
      expectEmpty(await commit({ partition_id: '1' }), 201);
      // As old clients do it.
      const query = { stream_name: stream, app_name: app };
      for (const path of ['/checkpoints/', '/checkpoints']) expectEmpty(await dis.call('DELETE', path, { query }), 204);
      for (const partition of ['0', '1']) assert.deepEqual(await get({ partition_id: partition }), NONE);
    });

    test('checkpoints go with their app and with their stream', async () => {
      const name = `${prefix}-gone`;
      await dis.createStream(name);
      await createApp(dis, name);
      const both = { app_name: name, stream_name: name };
      expectEmpty(await commit(both), 201);
      await dis.deleteStream(name);
      expectError(await commit(both), 400, 'DIS.4301');
      await dis.createStream(name);
      assert.deepEqual(await get(both), NONE);
      assert.deepEqual((await dis.call('GET', `/apps/${name}`)).json.commit_checkpoint_stream_names, []);
      expectEmpty(await commit(both), 201);
      expectEmpty(await dis.call('DELETE', `/apps/${name}`), 204);
      expectError(await commit(both), 400, 'DIS.4332');
      await createApp(dis, name);
      assert.deepEqual(await get(both), NONE);
      await dis.deleteStream(name);
      expectEmpty(await dis.call('DELETE', `/apps/${name}`), 204);
    });

    test('many commits at once: the last one of each partition stays', async () => {
      const name = `${prefix}-many`;
      await dis.createStream(name, 8);
      const partitions = Array.from({ length: 8 }, (_, index) => String(index));
      await dis.store(
        name,
        partitions.flatMap((id) => Array.from({ length: 20 }, () => ({ data: toBase64('x'), partition_id: id }))),
      );
      await Promise.all(
        partitions.map(async (id) => {
          for (let next = 1; next <= 20; next += 1) {
            const members = { stream_name: name, partition_id: id, sequence_number: String(next) };
            expectEmpty(await commit(members), 201);
            assert.equal((await get({ stream_name: name, partition_id: id })).sequence_number, String(next));
          }
        }),
      );
      await dis.deleteStream(name);
    });

    test('a stream of another project: by its id, when it is shared for reading; the checkpoint is the reader’s', async () => {
      const { id } = await dis.describe(stream);
      await createApp(other, app);
      const foreign = { stream_name: undefined, stream_id: id };
      const refused = async (code: string, status = 400) => {
        expectError(await commit(foreign, other), status, code);
        for (const method of ['GET', 'DELETE']) expectError(await ask(method, foreign, other), status, code);
      };
      const share = async (action: string) =>
        expectEmpty(
          await dis.call('POST', `/streams/${stream}/policies`, {
            body: {
              stream_id: id,
              principal_name: `${getTarget().credentials.domain}.*`,
              action_type: action,
              effect: 'accept',
            },
          }),
          200,
        );
      await refused('DIS.4301');
      await share('putRecords');
      await refused('DIS.4116', 403);
      await share('getRecords');
      expectEmpty(await commit({ ...foreign, sequence_number: '5' }, other), 201);
      assert.equal((await get(foreign, other)).sequence_number, '5');
      assert.deepEqual(await get(), NONE);
      const shown = await other.call('GET', `/apps/${app}`);
      assert.deepEqual(shown.json.commit_checkpoint_stream_names, [id]);
      const query = { checkpoint_type: 'LAST_READ' };
      const state = await other.call('GET', `/apps/${app}/streams/${id}`, { query });
      assert.equal(state.json.partition_consuming_states[0].sequence_number, '5');
      expectEmpty(await other.call('DELETE', `/apps/${app}`), 204);
    });
  });
}
