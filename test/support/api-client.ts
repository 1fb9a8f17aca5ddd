/** A client of the HTTP API that hides nothing: any method with any body, any header, and the answer as it came. */
import { Agent, request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import { ON_CLUSTER } from './backend.ts';

export interface Credentials {
  readonly projectId: string;
  readonly projectName: string;
  readonly domain: string;
  readonly user: string;
  readonly password: string;
}

/** What a conformance suite needs to know of the server it runs against. */
export interface Target {
  readonly baseUrl: string;
  readonly credentials: Credentials;
  /** PEM of the certificate to trust; absent: the server speaks plain HTTP. */
  readonly ca?: string | undefined;
}

export interface CallOptions {
  /** An object is sent as JSON; text and bytes as they are. */
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly token?: string;
  /** A header set to undefined is not sent. */
  readonly headers?: OutgoingHttpHeaders;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The parsed body; undefined when it is empty or no JSON. */
  readonly json: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

export class ApiClient {
  readonly #baseUrl: string;
  readonly #agent: Agent;
  readonly #request: typeof request;

  /** `ca`: PEM of the certificate that an https address must show, or one above it. */
  constructor(baseUrl: string, ca?: string) {
    this.#baseUrl = baseUrl;
    const tls = baseUrl.startsWith('https:');
    // A connection each, and so a node each, for the requests of a test that runs on a cluster.
    const keepAlive = !ON_CLUSTER;
    this.#agent = tls ? new TlsAgent({ keepAlive, ca }) : new Agent({ keepAlive });
    this.#request = tls ? requestTls : request;
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const query = new URLSearchParams(Object.entries(options.query ?? {}).map(([key, value]) => [key, String(value)]));
    const url = `${this.#baseUrl}${path}${query.size > 0 ? `?${query.toString()}` : ''}`;
    const body = toBytes(options.body);
    const headers: OutgoingHttpHeaders = {
      ...(body === undefined
        ? {}
        : { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length }),
      ...(options.token === undefined ? {} : { 'X-Auth-Token': options.token }),
      ...options.headers,
    };
    for (const [name, value] of Object.entries(headers)) if (value === undefined) delete headers[name];

    return await new Promise<Answer>((resolve, reject) => {
      const outgoing = this.#request(url, { method, headers, agent: this.#agent }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString('utf8');
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, bytes, text, json: parse(text) });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  /** Logs in and returns the token. */
  async login({ domain, user, password, projectId }: Credentials): Promise<string> {
    const answer = await this.call('POST', '/v3/auth/tokens', {
      body: {
        auth: {
          identity: { methods: ['password'], password: { user: { name: user, password, domain: { name: domain } } } },
          scope: { project: { id: projectId } },
        },
      },
    });
    const token = answer.headers['x-subject-token'];
    if (answer.status !== 201 || typeof token !== 'string') {
      throw new Error(`login answered ${answer.status}: ${answer.text}`);
    }
    return token;
  }

  /** Closes the connections that are kept open between calls. */
  close(): void {
    this.#agent.destroy();
  }
}

function toBytes(body: unknown): Buffer | undefined {
  if (body === undefined) return undefined;
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
