/** The API description: whole, consistent in itself, and true as far as a look at every operation can tell. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Compile } from 'typebox/compile';
import { ApiClient, type Target } from '../../support/api-client.ts';
import { expectError, expectJson } from '../../support/expect.ts';
import { readOperations, type ApiDocument, type Operation } from '../../support/api-document.ts';

/** The index of the public documents. A parameter is `{}` here. */
const DOCUMENTED = `
POST   /v2/{}/streams                                   201
GET    /v2/{}/streams                                   200
GET    /v2/{}/streams/{}                                200
DELETE /v2/{}/streams/{}                                204
PUT    /v2/{}/streams/{}                                200
PUT    /v3/{}/streams/{}                                204
PUT    /v2/{}/streams/{}/update                         200
GET    /v2/{}/streams/{}/update_partition_counts        200
GET    /v1/{}/quotas                                    200
POST   /v2/{}/streams/{}/policies                       200
POST   /v3/{}/streams/{}/policies                       200
GET    /v2/{}/streams/{}/policies                       200
DELETE /v2/{}/streams/{}/policies                       200
POST   /v2/{}/records                                   200
GET    /v2/{}/records                                   200
GET    /v2/{}/cursors                                   200
POST   /v2/{}/apps                                      201
GET    /v2/{}/apps                                      200
GET    /v2/{}/apps/{}                                   200
DELETE /v2/{}/apps/{}                                   204
GET    /v2/{}/apps/{}/streams/{}                        200
POST   /v2/{}/checkpoints                               201
GET    /v2/{}/checkpoints                               200
DELETE /v2/{}/checkpoints                               204
POST   /v2/{}/streams/{}/transfer-tasks                 201
GET    /v2/{}/streams/{}/transfer-tasks                 200
GET    /v2/{}/streams/{}/transfer-tasks/{}              200
DELETE /v2/{}/streams/{}/transfer-tasks/{}              204
PUT    /v2/{}/streams/{}/transfer-tasks                 200
POST   /v2/{}/streams/{}/transfer-tasks/action          200
POST   /v1/transfertasklog/{}                           200
GET    /v2/{}/streams/{}/metrics                        200
GET    /v2/{}/streams/{}/partitions/{}/metrics          200
POST   /v2/{}/stream/{}/tags                            204
GET    /v2/{}/stream/{}/tags                            200
DELETE /v2/{}/stream/{}/tags/{}                         204
POST   /v2/{}/stream/{}/tags/action                     204
GET    /v2/{}/stream/tags                               200
POST   /v2/{}/stream/resource_instances/action          200
POST   /v2/{}/apps/{}/consumers                         200
POST   /v2/{}/apps/{}/consumers/{}/partitions           200
POST   /v2/{}/apps/{}/consumers/{}/heartbeats           200
DELETE /v2/{}/apps/{}/consumers/{}                      204
POST   /v3/auth/tokens                                  201
GET    /v3/auth/tokens                                  200
DELETE /v3/auth/tokens                                  204
GET    /v3/projects                                     200
GET    /v3/auth/domains                                 200
POST   /v3.0/OS-CREDENTIAL/securitytokens               201
GET    /healthz                                         200
GET    /metrics                                         200
GET    /openapi.json                                    200
`;

/** What is beyond the public documents. */
const OURS = `
GET    /readyz                                          200
GET    /v1/nodes                                        200
GET    /v1/transfertasklog/{}/export                    200
POST   /v1/transfertasklog/{}/verify                    200
GET    /v2/{}/transfer-tasks/{}                         200
POST   /v2/{}/streams/{}/transfer-tasks/{}/backfills    200,201
GET    /v2/{}/streams/{}/transfer-tasks/{}/backfills    200
GET    /v2/{}/streams/{}/transfer-tasks/{}/backfills/{} 200
DELETE /v2/{}/streams/{}/transfer-tasks/{}/backfills/{} 204
POST   /v2/{}/streams/{}/transfer-tasks/{}/backfills/{}/action 200
POST   /v2/{}/streams/{}/transfer-tasks/{}/redrive      202
GET    /v2/{}/streams/{}/transfer-tasks/{}/redrive      200
GET    /v2/{}/streams/{}/transfer-tasks/{}/periods      200
GET    /v2/{}/streams/{}/transfer-tasks/{}/backfills/{}/periods 200
`;

function lines(list: string): string[] {
  return list
    .trim()
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' '));
}

export function runOpenapiConformance(getTarget: () => Target): void {
  describe('openapi', () => {
    let client: ApiClient;
    let document: ApiDocument;
    let operations: readonly Operation[];

    before(async () => {
      client = new ApiClient(getTarget().baseUrl);
      const answer = await client.call('GET', '/openapi.json');
      expectJson(answer);
      document = answer.json as ApiDocument;
      operations = readOperations(document);
    });
    after(() => client.close());

    test('every operation of the documents is there, with the status of its success, and none that is not', () => {
      const described = operations.map(({ method, path, answers }) => {
        const successes = [...answers.keys()].filter((status) => status < 300);
        return `${method} ${path.replace(/\{\w+\}/g, '{}')} ${successes.join(',')}`;
      });
      assert.deepEqual(described.sort(), [...lines(DOCUMENTED), ...lines(OURS)].sort());
    });

    test('operations have names of their own, a summary and a declared resource', () => {
      const declared = document.tags.map(({ name }) => name);
      assert.equal(new Set(operations.map(({ id }) => id)).size, operations.length);
      for (const { id, summary, tags } of operations) {
        assert.match(id, /^[a-z][A-Za-z0-9]+$/);
        assert.match(summary, /^[A-Z].+[^.]$/, id);
        assert.equal(tags.length, 1);
        assert.ok(declared.includes(tags[0] ?? ''), id);
      }
      assert.deepEqual(
        new Set(operations.flatMap(({ tags }) => tags)),
        new Set(declared),
        'no resource without operations',
      );
    });

    test('parameters are described, and those of paths are all there', () => {
      for (const { id, path, parameters } of operations) {
        const inPath = parameters.filter((parameter) => parameter.in === 'path');
        assert.deepEqual(
          inPath.map(({ name }) => name),
          [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
          id,
        );
        for (const { name, description, required, schema } of parameters) {
          assert.ok(description, `${id}: ${name} has no description`);
          assert.equal(typeof required, 'boolean');
          assert.doesNotThrow(() => Compile(schema), `${id}: ${name}`);
        }
        for (const parameter of inPath) assert.equal(parameter.required, true);
      }
    });

    test('bodies and answers are described by schemas that can be used; empty ones have none', () => {
      for (const { id, body, answers } of operations) {
        if (body !== undefined) assert.ok('application/json' in body.content, id);
        for (const schema of Object.values(body?.content ?? {})) assert.doesNotThrow(() => Compile(schema), id);
        for (const [status, { description, content, headers }] of answers) {
          assert.notEqual(description, '');
          assert.ok('X-Request-Id' in headers, `${id}: ${status}`);
          if (status === 204) assert.equal(content, undefined, id);
          for (const schema of Object.values(content ?? {})) assert.doesNotThrow(() => Compile(schema), id);
        }
      }
    });

    test('refusals have the four members, everywhere', () => {
      for (const { id, security, body, answers, fallback } of operations) {
        const refusals = [...answers].filter(([status]) => status >= 400);
        const statuses = refusals.map(([status]) => status);
        for (const status of [400, 429, 500, 503]) assert.ok(statuses.includes(status), `${id}: ${status}`);
        for (const status of [401, 403])
          assert.equal(statuses.includes(status), security.length > 0, `${id}: ${status}`);
        assert.equal(statuses.includes(413), body !== undefined, id);
        for (const answer of [...refusals.map(([, refusal]) => refusal), fallback]) {
          const schema = answer?.content?.['application/json'] as { required: string[] } | undefined;
          assert.deepEqual(schema?.required, ['errorCode', 'message', 'error_code', 'error_msg'], id);
        }
      }
    });

    test('both ways to say who one is, unless an operation is open to everybody', async () => {
      const schemes = document.components.securitySchemes;
      assert.deepEqual(
        Object.values(schemes).map(({ type, in: where, name }) => [type, where, name]),
        [
          ['apiKey', 'header', 'X-Auth-Token'],
          ['apiKey', 'header', 'Authorization'],
        ],
      );
      for (const { id, method, path, security } of operations) {
        const answer = await client.call(method, path.replace(/\{\w+\}/g, 'x'));
        if (security.length > 0) expectError(answer, 401, 'DIS.4113');
        else assert.notEqual(answer.status, 403, id);
      }
    });

    test('protobuf where it is spoken', () => {
      const types = (id: string) => {
        const operation = operations.find((candidate) => candidate.id === id);
        return [operation?.body?.content, operation?.answers.get(200)?.content].map(
          (content) => content && Object.keys(content),
        );
      };
      const both = ['application/json', 'application/x-protobuf'];
      assert.deepEqual(types('putRecords'), [both, both]);
      assert.deepEqual(types('getRecords'), [undefined, both]);
    });

    test('servers are relative: the document is true wherever it is read', () => {
      assert.deepEqual(document.servers, [{ url: '/' }]);
      assert.match(document.openapi, /^3\.1\./);
      assert.match(document.info.version, /^\d+\.\d+\.\d+/);
    });
  });
}
