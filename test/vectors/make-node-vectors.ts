/**
 * Makes `node-core.json`: requests as the HTTP client of the official Node SDK core signs and sends them, caught on a socket.
 *
 *     node test/vectors/make-node-vectors.ts > test/vectors/node-core.json
 */
import { createRequire } from 'node:module';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type IncomingMessage } from 'node:http';
import type { SignatureVector, VectorFile } from './vector.ts';

const ACCESS_KEY = 'VECTORACCESSKEY00001';
const TEMPORARY_ACCESS_KEY = 'VECTORACCESSKEY00002';
const SECRET_KEY = 'v3ctor/secret+key=üñ~';
const SECURITY_TOKEN = 'temporary.token-of_the/vector+==';
const PROJECT = '0123456789abcdef0123456789abcdef';
const REGION = 'cn-north-1';
const NOW = Date.UTC(2026, 1, 28, 23, 59, 30);
/** Written into the vectors: any free port will do. */
const PORT = 20_004;

/** The part of the SDK core that is used here; its own types hide it. */
interface Sdk {
  readonly HcClient: new (http: object, options: object) => Client;
  readonly DefaultHttpClient: new (options: object, endpoints: string[]) => object;
  readonly BasicCredentials: new (data: object) => object;
}
interface Client {
  withEndpoints(endpoints: string[]): this;
  withCredential(credential: object): this;
  sendRequest(options: object): Promise<unknown>;
}
const load = createRequire(import.meta.url) as (name: string) => Partial<Sdk>;
const core = '@huaweicloud/huaweicloud-sdk-core';
const { HcClient, DefaultHttpClient, BasicCredentials } = {
  ...load(`${core}/HcClient`),
  ...load(`${core}/http/DefaultHttpClient`),
  ...load(core),
} as Sdk;
const { version } = createRequire(import.meta.url)(`${core}/package.json`) as { version: string };

interface Call {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly queryParams?: Record<string, unknown>;
  readonly data?: unknown;
  readonly contentType?: string;
  readonly headers?: Record<string, string>;
  readonly securityToken?: string;
  /** Sent through a proxy, to an endpoint whose port is the scheme's own. */
  readonly withoutPort?: boolean;
}

const json = 'application/json';
const CALLS: readonly Call[] = [
  {
    name: 'list',
    method: 'GET',
    url: '/v2/{project_id}/streams',
    queryParams: { limit: 10, start_stream_name: 'a-b_c' },
  },
  { name: 'trailing slash', method: 'GET', url: '/v2/{project_id}/streams/', queryParams: {} },
  {
    name: 'query to be encoded, values of one name to be sorted',
    method: 'GET',
    url: '/v2/{project_id}/streams/s/metrics',
    queryParams: {
      start_time: '',
      label_list: ["z!*'()", 'a b+c&d=e/f?%', 'tilde~', 'é—中😀'],
      Upper: 'A',
      start_partitionId: 'x',
    },
  },
  { name: 'path to be encoded', method: 'GET', url: '/v2/{project_id}/apps/é*~(x)', queryParams: {} },
  { name: 'path with a space', method: 'GET', url: '/v2/{project_id}/apps/a b', queryParams: {} },
  { name: 'encoded path', method: 'DELETE', url: '/v2/{project_id}/apps/a%2Fb%20c', queryParams: {} },
  {
    name: 'put',
    method: 'POST',
    url: '/v2/{project_id}/records',
    contentType: json,
    data: { stream_name: 's', records: [{ data: 'aGVsbG8=', partition_key: 'schlüssel-钥匙-🔑' }] },
  },
  {
    name: 'put with a temporary key',
    method: 'POST',
    url: '/v2/{project_id}/records',
    contentType: json,
    data: { stream_name: 's', records: [] },
    securityToken: SECURITY_TOKEN,
  },
  {
    name: 'update',
    method: 'PUT',
    url: '/v2/{project_id}/streams/s',
    contentType: json,
    data: { stream_name: 's', target_partition_count: 4 },
  },
  { name: 'delete', method: 'DELETE', url: '/v2/{project_id}/streams/s', queryParams: {} },
  {
    name: 'delete with a body',
    method: 'DELETE',
    url: '/v2/{project_id}/streams/s/policies',
    contentType: json,
    data: { stream_id: 'x', principal_names: ['d.*'] },
  },
  { name: 'own header', method: 'GET', url: '/v2/{project_id}/streams', headers: { 'X-Note': 'two  spaces' } },
  { name: 'host without port', method: 'GET', url: '/v2/{project_id}/streams', withoutPort: true },
  {
    name: 'unsigned payload',
    method: 'POST',
    url: '/v2/{project_id}/records',
    contentType: 'text/plain',
    data: 'hello',
  },
];

// The clock of the signer.
Date.now = () => NOW;

let caught: { readonly request: IncomingMessage; readonly body: Buffer } | undefined;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    caught = { request, body: Buffer.concat(chunks) };
    response.writeHead(200, { 'Content-Type': json }).end('{}');
  });
}).listen(PORT, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

const vectors: SignatureVector[] = [];
for (const derived of [false, true]) for (const call of CALLS) vectors.push(await capture(call, derived));
server.close();
server.closeAllConnections();
const file: VectorFile = {
  client: `@huaweicloud/huaweicloud-sdk-core ${version}`,
  accessKey: ACCESS_KEY,
  temporaryAccessKey: TEMPORARY_ACCESS_KEY,
  secretKey: SECRET_KEY,
  securityToken: SECURITY_TOKEN,
  projectId: PROJECT,
  now: NOW,
  vectors,
};
process.stdout.write(`${JSON.stringify(file, undefined, 2)}\n`);

async function capture(call: Call, derived: boolean): Promise<SignatureVector> {
  const { name, securityToken, withoutPort = false, ...options } = call;
  const endpoint = withoutPort ? 'http://dis.example.com' : `http://127.0.0.1:${port}`;
  const proxy = { host: '127.0.0.1', port, protocol: 'http' };
  const http = new DefaultHttpClient(withoutPort ? { axiosRequestConfig: { proxy } } : {}, [endpoint]);
  const credential = new BasicCredentials({
    ak: securityToken === undefined ? ACCESS_KEY : TEMPORARY_ACCESS_KEY,
    sk: SECRET_KEY,
    projectId: PROJECT,
    securityToken,
    ...(derived ? { regionId: REGION, derivedAuthServiceName: 'dis', derivedPredicate: () => true } : {}),
  });
  const client = new HcClient(http, {}).withEndpoints([endpoint]).withCredential(credential);
  caught = undefined;
  await client.sendRequest({ pathParams: {}, headers: {}, ...options });
  const { request, body } = caught!;
  return {
    name: `${derived ? 'derived' : 'direct'}: ${name}`,
    method: request.method ?? '',
    // A proxy is asked for the whole URL.
    target: (request.url ?? '').replace('http://dis.example.com', ''),
    headers: request.headers,
    body: body.toString('base64'),
  };
}
