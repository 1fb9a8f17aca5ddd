/**
 * An HTTP proxy in front of an S3 service that fails on purpose. Everything passes through unchanged, the Host header
 * included (so a signature made for the proxy's address holds), except for the requests a script picks:
 *
 *     const proxy = await startFaultyProxy(s3.endpoint);
 *     const store = await openS3Store({ ...s3, endpoint: proxy.endpoint, pathStyle: true, timeoutSeconds: 1 });
 *     proxy.fail(({ method, attempt }) => (method === 'PUT' && attempt === 1 ? 'cut' : undefined));
 *     …
 *     proxy.heal();
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault =
  /** Answers with this HTTP status and S3 error code instead of asking the service. */
  | { readonly status: number; readonly code: string }
  /** Leaves the request unread and never answers. */
  | 'hang'
  /** Hands half of the request body on and then breaks both connections; a request without one is broken at once. */
  | 'cut'
  /** Lets the service do its work, then breaks the connection instead of passing the answer on. */
  | 'lose';

export const UNAVAILABLE = { status: 503, code: 'SlowDown' } as const satisfies Fault;

export interface ProxiedRequest {
  readonly method: string;
  /** Path and query as sent, for example `/bucket/key?partNumber=2&uploadId=…`. */
  readonly path: string;
  /** How many requests with this method and path there have been since the last `fail`, this one included. */
  readonly attempt: number;
}

/** The fault that a request meets; undefined lets it pass. */
export type FaultScript = (request: ProxiedRequest) => Fault | undefined;

export interface FaultyProxy {
  /** URL to be used in place of the service's own. */
  readonly endpoint: string;
  /** Every request since the last `fail`, in the order of arrival, with what it met. */
  readonly requests: readonly (ProxiedRequest & { readonly fault: Fault | undefined })[];
  /** Asks `script` about each request from now on; `requests` and the counting of attempts begin anew. */
  fail(script: FaultScript): void;
  /** Lets everything pass from now on. Requests that hang go on hanging until their sender gives up. */
  heal(): void;
  /** Breaks all connections. */
  close(): Promise<void>;
}

/** Listens on a free port of the loopback address. */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  let script: FaultScript = () => undefined;
  let requests: (ProxiedRequest & { fault: Fault | undefined })[] = [];

  const server = createServer({ keepAliveTimeout: 0 }, (incoming, answer) => {
    const { method = '', url: path = '' } = incoming;
    const attempt = requests.filter((seen) => seen.method === method && seen.path === path).length + 1;
    const fault = script({ method, path, attempt });
    requests.push({ method, path, attempt, fault });

    if (fault === 'hang') return;
    if (typeof fault === 'object') refuse(incoming, answer, fault);
    else forward(target, incoming, answer, fault);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    fail(next) {
      script = next;
      requests = [];
    },
    heal() {
      script = () => undefined;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function refuse(incoming: IncomingMessage, answer: ServerResponse, { status, code }: Exclude<Fault, string>): void {
  incoming.resume();
  answer.writeHead(status, { 'content-type': 'application/xml' });
  answer.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>on purpose</Message></Error>`);
}

function forward(
  target: string,
  incoming: IncomingMessage,
  answer: ServerResponse,
  fault: 'cut' | 'lose' | undefined,
): void {
  const upstream = httpRequest(
    new URL(incoming.url ?? '/', target),
    { method: incoming.method, headers: incoming.rawHeaders, agent: false },
    (response) => {
      if (fault === 'lose') {
        response.resume().once('end', () => incoming.socket.destroy());
        return;
      }
      answer.writeHead(response.statusCode ?? 502, response.statusMessage, response.rawHeaders);
      response.pipe(answer);
    },
  );
  // Either side that breaks takes the other one with it.
  upstream.on('error', () => incoming.socket.destroy());
  answer.once('close', () => upstream.destroy());

  if (fault === 'cut') cutInTheMiddle(incoming, upstream);
  else incoming.pipe(upstream);
}

function cutInTheMiddle(incoming: IncomingMessage, upstream: NodeJS.WritableStream & { destroy(): void }): void {
  const half = Math.floor(Number(incoming.headers['content-length'] ?? 0) / 2);
  let passed = 0;
  const cut = () => {
    upstream.destroy();
    incoming.socket.destroy();
  };
  if (half === 0) return cut();
  incoming.on('data', (piece: Buffer) => {
    upstream.write(piece.subarray(0, half - passed));
    passed += piece.byteLength;
    if (passed >= half) cut();
  });
}
