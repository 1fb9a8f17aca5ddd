/** Requests signed with an access key, by every family of signatures and every habit of the clients. */
import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { accessKeyOf, credentialsOf, projectId } from '../../support/accounts.ts';
import { ApiClient, type Answer, type Target } from '../../support/api-client.ts';
import { toBase64 } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import { SIGNATURE_FAMILIES, signRequest, type RequestSigner, type SigningHabits } from '../../support/sign.ts';

const PROJECT = projectId('north', 'one');
const MINUTE_MS = 60_000;
/** A request takes its time: this much short of the edge is inside, this much beyond it outside. */
const MARGIN_MS = 20_000;

const HABITS: Readonly<Record<string, SigningHabits>> = {
  none: {},
  'v3 SDK for Go': { lowerCaseNames: true },
  'Java DIS SDK': { doublyEncodedPath: true, collapsedSpaces: true },
  'Java DIS SDK, newest sources': { doublyEncodedPath: true, collapsedSpaces: true, derivationRegion: 'region' },
  'Python DIS SDK': { portlessHost: true, bareEmptyNames: true, unsignedToken: true, signedHeaders: [] },
  'sum of the body in a header': { contentHash: true },
};

interface SignedCall {
  readonly body?: string | Buffer;
  readonly headers?: OutgoingHttpHeaders;
  readonly habits?: SigningHabits;
}

/** Against a server whose config has the accounts of support/accounts.ts. */
export function runSignaturesConformance(getTarget: () => Target): void {
  describe('signatures', () => {
    let client: ApiClient;
    let baseUrl: string;
    const admin: RequestSigner = { family: 'chained', ...accessKeyOf('north', 'admin') };

    before(() => {
      ({ baseUrl } = getTarget());
      client = new ApiClient(baseUrl);
    });
    after(() => client.close());

    const call = (signer: RequestSigner, method: string, path: string, { body, headers, habits }: SignedCall = {}) => {
      const type = body === undefined ? {} : { 'Content-Type': 'application/json; charset=utf-8' };
      const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
      const request = { method, url: `${baseUrl}${path}`, headers: { ...type, ...headers }, body };
      return client.call(method, path, { headers: { ...signRequest(signer, request, habits), ...length }, body });
    };
    const streams = `/v2/${PROJECT}/streams`;
    const list = (signer: RequestSigner, options?: SignedCall) => call(signer, 'GET', streams, options);
    /** Signs a list as usual and sends it with other headers; undefined leaves one out. */
    const listWith = (change: (headers: Record<string, string>) => OutgoingHttpHeaders, signer = admin) => {
      const headers = signRequest(signer, { method: 'GET', url: `${baseUrl}${streams}` });
      return client.call('GET', streams, { headers: { ...headers, ...change(headers) } });
    };
    const withAuthorization = (change: (text: string) => string, signer = admin) =>
      listWith(({ Authorization = '' }) => ({ Authorization: change(Authorization) }), signer);

    for (const family of SIGNATURE_FAMILIES) {
      for (const [name, habits] of Object.entries(HABITS)) {
        if (habits.derivationRegion !== undefined && family !== 'derived-chained') continue;
        test(`${family}, habits: ${name}: a stream lives its life`, async () => {
          const signer: RequestSigner = { ...admin, family };
          const send = (method: string, path: string, body?: object) =>
            call(signer, method, `/v2/${PROJECT}${path}`, {
              habits,
              headers: { 'X-Note': 'two   spaces', 'X-Project-Id': PROJECT, Accept: '*/*; charset=utf-8' },
              ...(body === undefined ? {} : { body: JSON.stringify(body) }),
            });
          const stream = `signed-${family}-${name}`.replaceAll(/\W+/g, '-');
          expectEmpty(await send('POST', '/streams/', { stream_name: stream, partition_count: 1 }), 201);
          const records = [{ data: toBase64('é'), partition_key: 'schlüssel' }];
          expectJson(await send('POST', '/records/', { stream_name: stream, stream_id: '', records }));
          const described = await send('GET', `/streams/${stream}?start_partitionId=&limit_partitions=10&`);
          expectJson(described);
          const cursor = await send('GET', `/cursors/?stream-name=${stream}&partition-id=0&cursor-type=TRIM_HORIZON&`);
          expectJson(cursor);
          const got = await send('GET', `/records?partition-cursor=${cursor.json.partition_cursor}&limit=5`);
          expectJson(got);
          assert.deepEqual(
            got.json.records.map(({ data, partition_key }: { data: string; partition_key: string }) => ({
              data,
              partition_key,
            })),
            records,
          );
          expectEmpty(await send('DELETE', `/streams/${stream}/`), 204);
        });
      }
    }

    test('the body is signed as it comes over the wire: compressed, or with a GET', async () => {
      const plain = JSON.stringify({ stream_name: 'none', records: [{ data: 'YQ==' }] });
      const body = zstdCompressSync(plain);
      const headers = { 'Content-Encoding': 'zstd', 'X-Dis-Zstd-Content-Length': plain.length };
      const path = `/v2/${PROJECT}/records/`;
      const habits = { signedHeaders: ['content-encoding', 'content-type', 'x-dis-zstd-content-length'] };
      const put = await call(admin, 'POST', path, { body, headers, habits });
      assert.notEqual(put.status, 401, put.text);

      expectJson(await call(admin, 'GET', streams, { body: '{"stream_name": "é"}' }));
      const signed = signRequest(admin, { method: 'GET', url: `${baseUrl}${streams}`, body: '{}' });
      for (const other of [undefined, '{ }']) {
        expectError(await client.call('GET', streams, { headers: signed, body: other }), 401, 'DIS.4100');
      }
    });

    test('a wrong secret, an unknown key, and another request than the signed one are refused', async () => {
      for (const family of SIGNATURE_FAMILIES) {
        const signer = { ...admin, family };
        expectJson(await list(signer));
        expectError(await list({ ...signer, secretKey: 'guess' }), 401, 'DIS.4100');
        expectError(await list({ ...signer, accessKey: 'NOBODY' }), 401, 'DIS.4107', /\[NOBODY\]$/);
        expectError(await list({ ...signer, ...accessKeyOf('south', 'admin') }), 401, 'DIS.4117');
        const headers = signRequest(signer, { method: 'GET', url: `${baseUrl}${streams}` });
        const answers = await Promise.all([
          client.call('GET', `${streams}?limit=5`, { headers }),
          client.call('GET', `${streams}/x`, { headers }),
          client.call('DELETE', streams + '/x', { headers }),
          client.call('GET', streams, { headers, body: ' ' }),
        ]);
        for (const answer of answers) expectError(answer, 401, 'DIS.4100');
      }
    });

    test('what is missing or wrong in the headers has its code', async () => {
      const credential = (text: string) => withAuthorization((header) => header.replace(/Credential=[^,]*/, text));
      const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
      const scope = `${day}/any-region-1/dis/sdk_request`;
      const refused: readonly (readonly [code: string, answer: Promise<Answer>])[] = [
        ['DIS.4113', listWith(() => ({ Authorization: undefined }))],
        ['DIS.4101', listWith(() => ({ Authorization: '' }))],
        ['DIS.4102', withAuthorization(() => 'Basic YTpi')],
        ...['SDK-HMAC-SM3', 'SDK-ECDSA-P256-SHA256', 'SDK-SM2-SM3'].map(
          (algorithm) => ['DIS.4102', withAuthorization((text) => text.replace('SDK-HMAC-SHA256', algorithm))] as const,
        ),
        ['DIS.4102', credential('Credential=AK')],
        ['DIS.4103', listWith(() => ({ 'X-Sdk-Date': undefined }))],
        ['DIS.4103', listWith(() => ({ 'X-Sdk-Date': '' }))],
        ['DIS.4104', listWith(() => ({ 'X-Sdk-Date': new Date().toISOString() }))],
        ['DIS.4105', credential(`Credential=${admin.accessKey}/20200101/any-region-1/dis/sdk_request`)],
        ['DIS.4106', credential(`Credential=/${scope}`)],
        [
          'DIS.4106',
          withAuthorization((text) => text.replace(/Access=[^,]*/, 'Access='), { ...admin, family: 'direct' }),
        ],
        ['DIS.4108', list({ ...admin, service: 'obs' })],
        ['DIS.4108', list({ ...admin, service: '' })],
        ['DIS.4109', withAuthorization((text) => text.replace(/Credential=[^,]*, /, ''))],
        ['DIS.4109', withAuthorization((text) => text.replace(/SignedHeaders=[^,]*, /, ''))],
        ['DIS.4109', withAuthorization((text) => text.replace(/, Signature=.*/, ''))],
        ['DIS.4110', list(admin, { habits: { signedHeaders: ['x-never-sent'] } })],
        ['DIS.4111', list({ ...admin, region: '' })],
        ['DIS.4100', withAuthorization((text) => text.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase()))],
        ['DIS.4100', withAuthorization((text) => text.slice(0, -1))],
      ];
      const unsigned = await list(admin, { habits: { contentHash: 'UNSIGNED-PAYLOAD' } });
      expectError(unsigned, 401, 'DIS.4100', /\[UNSIGNED-PAYLOAD is not accepted\]$/);
      for (const [code, answer] of refused) expectError(await answer, 401, code);
    });

    test('a quarter of an hour early or late is taken, more is not', async () => {
      const at = (ms: number) => list({ ...admin, date: new Date(Date.now() + ms) });
      for (const sign of [-1, 1]) {
        expectJson(await at(sign * (15 * MINUTE_MS - MARGIN_MS)));
        expectError(await at(sign * (15 * MINUTE_MS + MARGIN_MS)), 401, 'DIS.4105');
      }
    });

    test('a key acts in every project of its account, in none of another, and with the role of its user', async () => {
      const inProject = (id: string, signer = admin) => call(signer, 'GET', `/v2/${id}/streams`);
      expectJson(await inProject(projectId('north', 'two')));
      for (const id of [projectId('south', 'one'), getTarget().credentials.projectId, 'x']) {
        expectError(await inProject(id), 401, 'DIS.4117');
      }
      const operator: RequestSigner = { ...admin, ...accessKeyOf('north', 'operator') };
      expectError(await call(operator, 'POST', `/v2/${PROJECT}/records`, { body: '{}' }), 403, 'DIS.4116');
    });

    test('where the path names no project, X-Project-Id does, and must be signed', async () => {
      const task = (id: string | undefined, habits?: SigningHabits) =>
        call(admin, 'POST', `/v1/transfertasklog/${'t'.repeat(19)}`, {
          body: '{}',
          ...(id === undefined ? {} : { headers: { 'X-Project-Id': id } }),
          ...(habits === undefined ? {} : { habits }),
        });
      for (const id of [undefined, '', projectId('north', 'two')]) expectError(await task(id), 400, 'DIS.4354');
      expectError(await task(projectId('south', 'one')), 401, 'DIS.4117');
      expectError(await task(projectId('north', 'two'), { signedHeaders: [] }), 401, 'DIS.4110', /\[x-project-id\]$/);
    });

    test('a temporary key is good with its security token only, signed or not', async () => {
      const token = await client.login(credentialsOf('north', 'admin'));
      const made = await client.call('POST', '/v3.0/OS-CREDENTIAL/securitytokens', {
        token,
        body: { auth: { identity: { methods: ['token'] } } },
      });
      expectJson(made, 201);
      const { access: accessKey, secret: secretKey, securitytoken: securityToken } = made.json.credential;
      for (const family of SIGNATURE_FAMILIES) {
        const key = { family, accessKey, secretKey };
        for (const habits of [{}, { unsignedToken: true }]) {
          expectJson(await list({ ...key, securityToken }, { habits }));
          expectError(await list({ ...key, securityToken: `${securityToken}x` }, { habits }), 401, 'DIS.4114');
          expectError(await list({ ...key, securityToken: '' }, { habits }), 401, 'DIS.4114');
          expectError(await list(key, { habits }), 401, 'DIS.4114');
          // One that belongs to another key, and none at all.
          expectError(await list({ ...admin, family, securityToken }, { habits }), 401, 'DIS.4114');
          expectJson(await list({ ...admin, family, securityToken: '' }, { habits }));
        }
      }
    });

    test('a token goes before a signature, an empty one does not', async () => {
      expectJson(await listWith(() => ({ 'X-Auth-Token': '' })));
      expectError(await listWith(() => ({ 'X-Auth-Token': 'x' })), 401, 'DIS.4114');
    });
  });
}
