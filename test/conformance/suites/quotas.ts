/** Quotas over HTTP: what a project may have and how much of it it has. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DisClient } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import type { TwoProjects } from '../../support/two-projects.ts';

export interface QuotasTarget extends TwoProjects {
  /** By type. Nothing else uses the projects while the suite runs. */
  readonly quota: Readonly<Record<string, number>>;
}

export function runQuotasConformance(getTarget: () => QuotasTarget): void {
  describe('quotas', () => {
    const name = `q${randomBytes(4).toString('hex')}`;
    let target: QuotasTarget;
    let dis: DisClient;
    let other: DisClient;

    before(async () => {
      target = getTarget();
      dis = await DisClient.login(target);
      other = await DisClient.login(target, { projectId: target.otherProjectId });
    });
    after(() => [dis, other].forEach((client) => client.close()));

    const show = ({ http, projectId, token }: DisClient) => http.call('GET', `/v1/${projectId}/quotas`, { token });
    const used = async (client: DisClient) => {
      const answer = await show(client);
      expectJson(answer);
      const { resource, resources } = answer.json.quotas;
      assert.deepEqual(resource, resources);
      const list = resources as { type: string; quota: number; used: number }[];
      assert.deepEqual(Object.fromEntries(list.map(({ type, quota }) => [type, quota])), target.quota);
      return Object.fromEntries(list.map((entry) => [entry.type, entry.used]));
    };
    const NOTHING = { common_partition: 0, advanced_partition: 0, app: 0 };

    test('partitions of each type and apps are counted for the project alone', async () => {
      assert.deepEqual(await used(dis), NOTHING);
      await dis.createStream(name, 3);
      await dis.createStream(`${name}-advanced`, 2, { stream_type: 'ADVANCED' });
      expectEmpty(await dis.call('POST', '/apps', { body: { app_name: name } }), 201);
      assert.deepEqual(await used(dis), { common_partition: 3, advanced_partition: 2, app: 1 });
      assert.deepEqual(await used(other), NOTHING);
      expectEmpty(await dis.call('DELETE', `/apps/${name}`), 204);
      await dis.deleteStream(name);
      await dis.deleteStream(`${name}-advanced`);
      assert.deepEqual(await used(dis), NOTHING);
    });

    test('quotas of another project are not told', async () => {
      const answer = await dis.http.call('GET', `/v1/${target.otherProjectId}/quotas`, { token: dis.token });
      expectError(answer, 401, 'DIS.4117');
      expectError(await dis.http.call('GET', `/v1/${dis.projectId}/quotas`), 401, 'DIS.4113');
    });
  });
}
