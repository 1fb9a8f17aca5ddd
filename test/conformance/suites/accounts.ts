/** Accounts, projects and roles: what is one's own is never seen by another, and each role may what its name says. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessKeyOf, credentialsOf, DOMAINS, projectId, PROJECTS, ROLES, type Role } from '../../support/accounts.ts';
import { ApiClient, type Answer, type Target } from '../../support/api-client.ts';
import { DisClient, toBase64 } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import { OPERATIONS } from '../../support/operations.ts';
import { signRequest } from '../../support/sign.ts';

const PAIRS = DOMAINS.flatMap((domain) => PROJECTS.map((project) => ({ domain, project })));

/** Against a server whose config has the accounts of support/accounts.ts. */
export function runAccountsConformance(getTarget: () => Target): void {
  describe('accounts', () => {
    let target: Target;
    /** The administrators in all four projects: the first one of each account, then the second one. */
    let clients: DisClient[];
    let http: ApiClient;
    const roles = {} as Record<Role, DisClient>;

    before(async () => {
      target = getTarget();
      http = new ApiClient(target.baseUrl);
      clients = [];
      for (const { domain, project } of PAIRS) {
        clients.push(await DisClient.login(target, credentialsOf(domain, 'admin', project)));
      }
      for (const role of ROLES) roles[role] = await DisClient.login(target, credentialsOf('north', role));
      for (const dis of clients) {
        await dis.createStream('same');
        await dis.store('same', [{ data: toBase64(dis.projectId) }]);
      }
    });
    after(async () => {
      for (const dis of clients) await dis.deleteStream('same');
      for (const dis of [...clients, ...Object.values(roles)]) dis.close();
      http.close();
    });

    /** Every client with every other one. */
    const eachPair = async (look: (mine: DisClient, theirs: DisClient) => Promise<void>) => {
      for (const mine of clients) for (const theirs of clients) if (mine !== theirs) await look(mine, theirs);
    };

    const signed = (role: Role, method: string, path: string): Promise<Answer> => {
      const signer = { family: 'chained' as const, ...accessKeyOf('north', role) };
      const headers = signRequest(signer, { method, url: `${target.baseUrl}${path}` });
      return http.call(method, path, { headers });
    };

    test('a user works in every project of its account and in none of another', async () => {
      for (const { domain, project } of PAIRS) {
        const path = `/v2/${projectId(domain, project)}/streams`;
        const byKey = await signed('user', 'GET', path);
        const foreign = { ...credentialsOf('north', 'user'), projectId: projectId(domain, project) };
        if (domain === 'north') {
          expectJson(byKey);
          expectJson(await http.call('GET', path, { token: await http.login(foreign) }));
        } else {
          expectError(byKey, 401, 'DIS.4117');
          await assert.rejects(http.login(foreign), /answered 403: .*DIS\.4116/);
        }
      }
    });

    test('a token is good in its own project only, also within its account', async () => {
      await eachPair(async (mine, theirs) => {
        const answer = await http.call('GET', `/v2/${theirs.projectId}/streams/same`, { token: mine.token });
        expectError(answer, 401, 'DIS.4117');
      });
    });

    test('streams of one name hold the records of their own project', async () => {
      for (const dis of clients) {
        const listed = await dis.call('GET', '/streams');
        expectJson(listed);
        assert.deepEqual(listed.json.stream_names, ['same']);
        const records = await dis.readAll('same', 0);
        assert.deepEqual(
          records.map(({ data }) => Buffer.from(data, 'base64').toString()),
          [dis.projectId],
        );
      }
      const ids = await Promise.all(clients.map(async (dis) => (await dis.describe('same')).id));
      assert.equal(new Set(ids).size, clients.length);
    });

    test('streams, cursors, tasks, logs and tags of another project do not exist', async () => {
      const own = await Promise.all(
        clients.map(async (dis) => {
          const task = await dis.addTask('same', 'task', { deliver_time_interval: 900 });
          return { id: (await dis.describe('same')).id, cursor: await dis.cursor('same', 0), task };
        }),
      );
      const of = (dis: DisClient) => own[clients.indexOf(dis)]!;
      await eachPair(async (mine, theirs) => {
        const { id, cursor, task } = of(theirs);
        const missing: [string, string, object?][] = [
          ['GET', `/streams/${id}`],
          ['PUT', `/streams/${id}`, { body: { stream_name: id, target_partition_count: 2 } }],
          ['DELETE', `/streams/${id}`],
          ['GET', '/cursors', { query: { 'stream-id': id, 'partition-id': 0, 'cursor-type': 'LATEST' } }],
          ['POST', '/records', { body: { stream_id: id, records: [{ data: 'eA==' }] } }],
          ['GET', `/streams/${id}/transfer-tasks`],
          ['DELETE', `/streams/${id}/transfer-tasks/task`],
          ['GET', `/streams/${id}/policies`],
          ['GET', `/streams/${id}/update_partition_counts`],
        ];
        for (const [method, path, options] of missing) {
          expectError(await mine.call(method, path, options), 400, 'DIS.4301');
        }
        expectError(await mine.get(cursor), 400, 'DIS.4217');
        expectError(await mine.log(task, {}), 400, 'DIS.4354');
        expectJson(await mine.log(of(mine).task, {}));
        const stopped = await mine.changeTasks('same', 'stop', task);
        assert.notEqual(stopped.status, 200, stopped.text);
        const tags = await mine.call('GET', `/stream/${id}/tags`);
        assert.equal(tags.status, 400, tags.text);
      });
      for (const dis of clients) {
        const { json } = await dis.showTask('same', 'task');
        assert.notEqual(json.state, 'PAUSED');
      }
    });

    test('apps and checkpoints are those of the project', async () => {
      const [first, ...others] = clients as [DisClient, ...DisClient[]];
      const members = { app_name: 'same', stream_name: 'same', partition_id: '0', checkpoint_type: 'LAST_READ' };
      for (const dis of clients) expectEmpty(await dis.call('POST', '/apps', { body: { app_name: 'same' } }), 201);
      const committed = await first.call('POST', '/checkpoints', { body: { ...members, sequence_number: '0' } });
      assert.equal(committed.status, 201, committed.text);
      const checkpoint = async (dis: DisClient) => (await dis.call('GET', '/checkpoints', { query: members })).json;
      assert.equal((await checkpoint(first)).sequence_number, '0');
      for (const dis of others) assert.equal((await checkpoint(dis)).sequence_number, '-1');
      const apps = await Promise.all(clients.map(async (dis) => (await dis.call('GET', '/apps')).json.apps));
      assert.deepEqual(
        apps.map((list: unknown[]) => list.length),
        [1, 1, 1, 1],
      );
      expectEmpty(await first.call('DELETE', '/apps/same'), 204);
      for (const dis of others) expectJson(await dis.call('GET', '/apps/same'));
      for (const dis of others) expectEmpty(await dis.call('DELETE', '/apps/same'), 204);
    });

    test('each role may what the table of DIS says, by token', async () => {
      for (const { operation, method, paths, deniedTo } of OPERATIONS) {
        for (const path of paths) {
          for (const role of ROLES) {
            const dis = roles[role];
            const answer = await http.call(method, fill(path, dis.projectId), { token: dis.token });
            if (deniedTo.includes(role)) expectError(answer, 403, 'DIS.4116', new RegExp(`\\[${operation}\\]$`));
            else assert.notEqual(answer.status, 403, `${operation} as ${role}: ${answer.text}`);
            assert.ok(answer.status < 500, `${operation} as ${role}: ${answer.text}`);
          }
        }
      }
    });

    test('each role may what the table of DIS says, by signature', async () => {
      for (const { operation, method, paths, deniedTo } of OPERATIONS.filter((one) => one.deniedTo.length > 0)) {
        const path = fill(paths[0]!, projectId('north', 'one'));
        for (const role of ROLES) {
          const answer = await signed(role, method, path);
          if (deniedTo.includes(role)) expectError(answer, 403, 'DIS.4116');
          else assert.ok(![401, 403].includes(answer.status), `${operation} as ${role}: ${answer.text}`);
        }
      }
    });
  });
}

/** The path with names of things that are not there, so that nothing happens. */
function fill(path: string, project: string): string {
  return path
    .replace(':projectId', project)
    .replace(':partitionId', '0')
    .replace(':taskId', 'Nothing00000000000x')
    .replaceAll(/:\w+/g, 'nothing');
}
