/** Tags over HTTP: one and several, with every limit on both sides, and the streams that fit a question about tags. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Answer } from '../../support/api-client.ts';
import { DisClient } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import type { TwoProjects } from '../../support/two-projects.ts';

const MOST_TAGS = 10;

interface Tag {
  readonly key: string;
  readonly value?: string | null;
}

export function runTagsConformance(getTarget: () => TwoProjects): void {
  describe('tags', () => {
    const stream = `t${randomBytes(4).toString('hex')}`;
    let dis: DisClient;
    let other: DisClient;
    let id: string;

    before(async () => {
      const target = getTarget();
      dis = await DisClient.login(target);
      other = await DisClient.login(target, { projectId: target.otherProjectId });
      await dis.createStream(stream);
      id = (await dis.describe(stream)).id;
    });
    after(async () => {
      await dis.deleteStream(stream);
      dis.close();
      other.close();
    });
    beforeEach(async () => {
      const keys = (await tags()).map(({ key }) => ({ key }));
      if (keys.length > 0) expectEmpty(await change('delete', keys), 204);
    });

    const add = (tag: unknown) => dis.call('POST', `/stream/${id}/tags`, { body: { tag } });
    const change = (action: unknown, list: unknown) =>
      dis.call('POST', `/stream/${id}/tags/action`, { body: { action, tags: list } });
    const remove = (key: string) => dis.call('DELETE', `/stream/${id}/tags/${encodeURIComponent(key)}`);
    const tags = async (): Promise<Tag[]> => {
      const answer = await dis.call('GET', `/stream/${id}/tags`);
      expectJson(answer);
      assert.deepEqual(Object.keys(answer.json as object), ['tags']);
      return answer.json.tags as Tag[];
    };
    const many = (count: number, from = 0): Tag[] =>
      Array.from({ length: count }, (_, index) => ({ key: `k${index + from}`, value: `v${index + from}` }));

    test('a tag is added, gets another value, and is deleted', async () => {
      expectEmpty(await add({ key: '环境-Env_1', value: '生产.v-1_2' }), 204);
      expectEmpty(await add({ key: 'b' }), 204);
      expectEmpty(await add({ key: 'b', value: null }), 204);
      assert.deepEqual(await tags(), [
        { key: '环境-Env_1', value: '生产.v-1_2' },
        { key: 'b', value: '' },
      ]);
      expectEmpty(await add({ key: '环境-Env_1', value: 'x' }), 204);
      const described = (await dis.call('GET', `/streams/${stream}`)).json;
      assert.deepEqual(described.tags[0], { key: '环境-Env_1', value: 'x' });
      expectEmpty(await remove('环境-Env_1'), 204);
      assert.deepEqual(await tags(), [{ key: 'b', value: '' }]);
      expectError(await remove('环境-Env_1'), 400, 'DIS.4604', /\[环境-Env_1\]/);
      expectError(await remove('B'), 400, 'DIS.4604');
    });

    test('several are added or deleted at once, again and again with the same outcome', async () => {
      for (let round = 0; round < 2; round += 1) {
        expectEmpty(await change('create', many(3)), 204);
        assert.deepEqual(await tags(), many(3));
      }
      expectEmpty(await change('create', [{ key: 'k1', value: 'new' }, { key: 'k3' }]), 204);
      assert.deepEqual(await tags(), [many(1)[0], { key: 'k1', value: 'new' }, many(3)[2], { key: 'k3', value: '' }]);
      for (let round = 0; round < 2; round += 1) {
        expectEmpty(
          await change('delete', [{ key: 'k1', value: 'whatever' }, { key: 'k3' }, { key: 'never there' }]),
          204,
        );
        assert.deepEqual(await tags(), [many(1)[0], many(3)[2]]);
      }
    });

    test(`a stream has up to ${MOST_TAGS} tags`, async () => {
      expectError(await change('create', many(MOST_TAGS + 1)), 400, 'DIS.4601');
      assert.deepEqual(await tags(), []);
      expectEmpty(await change('create', many(MOST_TAGS)), 204);
      expectError(await add({ key: 'more', value: '' }), 400, 'DIS.4601');
      expectError(await change('create', [{ key: 'k0', value: 'changed' }, { key: 'more' }]), 400, 'DIS.4601');
      assert.deepEqual(await tags(), many(MOST_TAGS));
      expectEmpty(await add({ key: 'k0', value: 'changed' }), 204);
      assert.equal((await tags())[0]?.value, 'changed');
    });

    test('ten requests at a time lose nothing', async () => {
      const answers = await Promise.all(many(MOST_TAGS + 1).map(add));
      assert.equal(answers.filter(({ status }) => status === 204).length, MOST_TAGS);
      assert.equal((await tags()).length, MOST_TAGS);
    });

    test('what a tag may look like', async () => {
      const refuses = async (tag: unknown, member: string) => {
        expectError(await add(tag), 400, 'DIS.4300', new RegExp(`\\[tag\\.${member}\\]`));
        const several = await change('create', [{ key: 'fine' }, tag]);
        expectError(several, 400, 'DIS.4300', new RegExp(`\\[tags\\.1\\.${member}\\]`));
      };
      expectEmpty(await add({ key: 'k'.repeat(36), value: 'v'.repeat(43) }), 204);
      await refuses({ key: 'k'.repeat(37) }, 'key');
      await refuses({ key: 'k', value: 'v'.repeat(44) }, 'value');
      for (const key of ['', ' ', 'a.b', 'a b', 'a/b', 'é', '\u{20000}']) await refuses({ key }, 'key');
      for (const value of [' ', 'a b', 'a/b', '*', '\n']) await refuses({ key: 'k', value }, 'value');
      await refuses({ key: 7 }, 'key');
      await refuses({ value: 'v' }, 'key');
      await refuses({ key: 'k', value: 7 }, 'value');
      expectError(
        await change('create', [{ key: 'a' }, { key: 'b' }, { key: 'a' }]),
        400,
        'DIS.4300',
        /\[tags\.2\.key\]/,
      );
      assert.equal((await tags()).length, 1);
    });

    test('what is deleted is not looked at, but for empty keys', async () => {
      const odd = { key: 'a/b *'.repeat(100), value: 'v'.repeat(1000) };
      expectEmpty(await change('delete', [odd, odd]), 204);
      expectError(await change('delete', [{ key: '' }]), 400, 'DIS.4300', /\[tags\.0\.key\]/);
      expectError(await remove('x'.repeat(500)), 400, 'DIS.4604');
    });

    test('actions and bodies that are none', async () => {
      for (const action of ['update', '', 'Create']) expectError(await change(action, many(1)), 400, 'DIS.4605');
      for (const action of [7, null, undefined]) expectError(await change(action, many(1)), 400, 'DIS.4300');
      for (const list of [undefined, null, {}, []]) {
        expectError(await change('create', list), 400, 'DIS.4300', /\[tags\]/);
        expectError(await change('delete', list), 400, 'DIS.4300', /\[tags\]/);
      }
      expectError(await add(undefined), 400, 'DIS.4300', /\[tag\]/);
      expectError(await dis.call('POST', `/stream/${id}/tags`), 400, 'DIS.4202');
    });

    test('a stream that is not there, or another project’s, or named by its name', async () => {
      for (const [client, streamId] of [
        [dis, 'x'.repeat(19)],
        [other, id],
        [dis, stream],
      ] as const) {
        const path = `/stream/${streamId}/tags`;
        const calls: Promise<Answer>[] = [
          client.call('GET', path),
          client.call('POST', path, { body: { tag: { key: 'k' } } }),
          client.call('POST', `${path}/action`, { body: { action: 'create', tags: many(1) } }),
          client.call('DELETE', `${path}/k`),
        ];
        for (const call of calls) expectError(await call, 400, 'DIS.4603');
      }
    });

    describe('questions', () => {
      const prefix = `f${randomBytes(4).toString('hex')}`;
      const OF: Readonly<Record<string, readonly Tag[]>> = {
        'a-None': [],
        b: [{ key: 'env', value: 'prod' }],
        c: [
          { key: 'env', value: 'test' },
          { key: 'team', value: 'red' },
        ],
        d: [
          { key: 'env', value: 'prod' },
          { key: 'team', value: 'blue' },
        ],
      };
      before(async () => {
        for (const [name, list] of Object.entries(OF)) await dis.createStream(`${prefix}-${name}`, 1, { tags: list });
      });
      after(async () => {
        for (const name of Object.keys(OF)) await dis.deleteStream(`${prefix}-${name}`);
      });

      const ask = (body: object, client = dis) => client.call('POST', '/stream/resource_instances/action', { body });
      const mine = { matches: [{ key: 'resource_name', value: prefix.toUpperCase() }] };
      /** The streams of the suite that fit, by the part of their names behind the prefix. */
      const found = async (body: object) => {
        const answer = await ask({ action: 'filter', ...mine, ...body });
        expectJson(answer);
        const counted = await ask({ action: 'count', ...mine, ...body });
        assert.deepEqual(counted.json, { total_count: answer.json.total_count });
        const resources = answer.json.resources as { resource_id: string; resource_name: string }[];
        return resources.map(({ resource_name }) => resource_name.slice(prefix.length + 1)).join(' ');
      };
      const env = (...values: string[]) => ({ key: 'env', values });
      const team = (...values: string[]) => ({ key: 'team', values });

      test('all, any, not all, not any', async () => {
        assert.equal(await found({}), 'a-None b c d');
        assert.equal(await found({ tags: [env('prod')] }), 'b d');
        assert.equal(await found({ tags: [env('prod', 'test'), team('red')] }), 'c');
        assert.equal(await found({ tags: [env(), team()] }), 'c d');
        assert.equal(await found({ tags: [{ key: 'env' }] }), 'b c d');
        assert.equal(await found({ tags: [env('*ro')] }), 'b d');
        assert.equal(await found({ tags_any: [env('test'), team('blue')] }), 'c d');
        assert.equal(await found({ not_tags: [env('prod'), team()] }), 'a-None b c');
        assert.equal(await found({ not_tags_any: [env('test'), team('blue')] }), 'a-None b');
        assert.equal(await found({ tags: [env('prod')], not_tags_any: [team()] }), 'b');
        assert.equal(await found({ tags: [], tags_any: null, not_tags: [], not_tags_any: [] }), 'a-None b c d');
        assert.equal(await found({ tags: [env('PROD')] }), '');
      });

      test('names', async () => {
        const name = (...values: unknown[]) => ({ matches: values.map((value) => ({ key: 'resource_name', value })) });
        assert.equal(await found(name(`${prefix}-A-n`)), 'a-None');
        assert.equal(await found(name(prefix, 'none')), 'a-None');
        assert.equal(await found(name(prefix, '')), 'a-None b c d');
        expectError(
          await ask({ action: 'filter', matches: [{ key: 'id', value: 'x' }] }),
          400,
          'DIS.4300',
          /\[matches\.0\.key\]/,
        );
      });

      test('what is told of a stream', async () => {
        const answer = await ask({ action: 'filter', tags: [team('blue')], ...mine });
        const { id: resource_id } = await dis.describe(`${prefix}-d`);
        const told = { resource_id, resource_name: `${prefix}-d`, resource_detail: null, tags: OF['d'] };
        assert.deepEqual(answer.json, { resources: [told], total_count: 1 });
        assert.equal((await ask({ action: 'filter', ...mine }, other)).json.total_count, 0);
      });

      test('pages, in text or in numbers', async () => {
        const page = async (limit: unknown, offset: unknown) => {
          const answer = await ask({ action: 'filter', ...mine, limit, offset });
          expectJson(answer);
          assert.equal(answer.json.total_count, 4);
          return (answer.json.resources as unknown[]).length;
        };
        assert.equal(await page('1', '0'), 1);
        assert.equal(await page(3, 2), 2);
        assert.equal(await page('1000', '3'), 1);
        assert.equal(await page('', '4'), 0);
        assert.equal(await page(null, '999999999999999'), 0);
        for (const limit of ['0', 1001, 'x', -1, '1.5']) {
          expectError(await ask({ action: 'filter', limit }), 400, 'DIS.4300', /\[limit\]/);
          expectJson(await ask({ action: 'count', limit }));
        }
        for (const offset of ['-1', -1, 'x']) {
          expectError(await ask({ action: 'filter', offset }), 400, 'DIS.4300', /\[offset\]/);
        }
      });

      test('limits of a question', async () => {
        const keys = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `k${index}` }));
        const values = (count: number) => [
          { key: 'k', values: Array.from({ length: count }, (_, index) => `v${index}`) },
        ];
        for (const member of ['tags', 'tags_any', 'not_tags', 'not_tags_any']) {
          const accepts = async (filters: unknown) => expectJson(await ask({ action: 'count', [member]: filters }));
          const refuses = async (filters: unknown, place: string) =>
            expectError(
              await ask({ action: 'count', [member]: filters }),
              400,
              'DIS.4300',
              new RegExp(`\\[${member}${place}\\]`),
            );
          await accepts(keys(10));
          await refuses(keys(11), '');
          await accepts(values(10));
          await refuses(values(11), '\\.0\\.values');
          await accepts([{ key: 'k'.repeat(36), values: ['v'.repeat(43)] }]);
          await refuses([{ key: 'k'.repeat(37) }], '\\.0\\.key');
          await refuses([{ key: 'k', values: ['v'.repeat(44)] }], '\\.0\\.values');
          await refuses([{ key: '' }], '\\.0\\.key');
          await refuses([{ key: 'k' }, { key: 'k' }], '\\.1\\.key');
          await refuses([{ key: 'k', values: ['v', 'v'] }], '\\.0\\.values');
        }
        for (const action of ['find', '']) expectError(await ask({ action }), 400, 'DIS.4605');
        expectError(await ask({}), 400, 'DIS.4300', /\[action\]/);
      });

      test('every tag of the project with all of its values', async () => {
        const answer = await dis.call('GET', '/stream/tags');
        expectJson(answer);
        const all = answer.json.tags as { key: string; values: string[] }[];
        assert.deepEqual(all.find(({ key }) => key === 'env')?.values, ['prod', 'test']);
        assert.deepEqual(all.find(({ key }) => key === 'team')?.values, ['blue', 'red']);
        assert.deepEqual((await other.call('GET', '/stream/tags')).json, { tags: [] });
      });
    });
  });
}
