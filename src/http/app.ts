/**
 * The HTTP application: fastify with the habits of a DIS endpoint. `buildApp` makes it and starts nothing; whoever calls
 * it listens and, in the end, calls `close`.
 */
import type { SecureContextOptions, Server as TlsServer } from 'node:tls';
import fastify, { LogController, type FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { DomainError } from '../model/errors.ts';
import { validateBody } from './body-validation.ts';
import { answerClientError } from './client-errors.ts';
import { renderError, toDomainError } from './error-renderer.ts';
import type { App } from './fastify-types.ts';
import { describeApi } from './openapi/describe-api.ts';
import { logAccess } from './plugins/access-log.ts';
import { authenticate } from './plugins/authentication.ts';
import { Drain } from './plugins/draining.ts';
import { continueBodies } from './plugins/expect-continue.ts';
import { refuseUnlessCurrent } from './plugins/node-current.ts';
import { meterRequests } from './plugins/request-metrics.ts';
import { sendRequestIds } from './plugins/request-id.ts';
import { parseQuery } from './query.ts';
import { decodeBodies, readBodies } from './request-body.ts';
import { requestIds } from './request-ids.ts';
import { ROUTES } from './routes/table.ts';
import type { Services } from './services.ts';

export interface AppOptions {
  readonly services: Services;
  readonly logger: Logger;
  /** HTTP status of failed authentication, see auth.failure_status of the config. */
  readonly authFailureStatus: 401 | 441;
  /** Certificate and key of a server that speaks TLS; undefined: plain HTTP. */
  readonly tls: SecureContextOptions | undefined;
}

export interface HttpApp {
  readonly app: App;
  /** Shows another certificate on connections that are made from now on. For servers that speak TLS alone. */
  setCertificate(tls: SecureContextOptions): void;
  /**
   * Stops listening, lets running requests finish for up to `graceMs`, then cuts the connections that are left. Resolves
   * when no request is running any more.
   */
  close(graceMs: number): Promise<void>;
}

/** A token may have 32,768 characters; Node allows 16 KiB for all headers together. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Longest path segment: names are up to 64, cursors and tokens do not travel in paths. */
const MAX_PARAM_CHARACTERS = 1024;
const HEADERS_TIMEOUT_MS = 15_000;
/** From the first byte of a request to its last: 12 MB at 100 KB/s. */
const REQUEST_TIMEOUT_MS = 120_000;
/** A body that is refused for its size is read to its end, and forgotten, unless it says that it is larger than this. */
const DISCARDED_BODY_BYTES = 128 * 1024 * 1024;
/** Above the 60 s after which load balancers let go, so that they, not we, close idle connections. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

const SWEEP_MS = 50;
const HTTP_OPTIONS = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS };

export function buildApp({ services, logger, authFailureStatus, tls }: AppOptions): HttpApp {
  const nextRequestId = requestIds(services.random);
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    // A logger of its own for each request costs more than a line now and then that names its request itself.
    childLoggerFactory: (parent) => parent,
    genReqId: nextRequestId,
    requestIdHeader: false,
    bodyLimit: services.limits.body_bytes,
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: MAX_PARAM_CHARACTERS,
      querystringParser: parseQuery,
    },
    return503OnClosing: false,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    http: HTTP_OPTIONS,
    ...(tls === undefined ? {} : { https: { ...HTTP_OPTIONS, ...tls } }),
    clientErrorHandler: (error, socket) => answerClientError(error, socket, nextRequestId()),
    frameworkErrors: (error, request, reply) => {
      const answer = renderError(toDomainError(error), { authFailureStatus });
      void (reply as FastifyReply).code(answer.status).header('X-Request-Id', request.id).send(answer.body);
    },
  }) as unknown as App;

  app.setValidatorCompiler(validateBody);
  // Answers are described by schemas and not shaped by them.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  readBodies(app, { buffers: services.buffers, maxBytes: services.limits.body_bytes });
  renderErrors(app, authFailureStatus);

  const drain = new Drain();
  sendRequestIds(app);
  drain.install(app);
  refuseUnlessCurrent(app, services.isCurrent);
  authenticate(app, services);
  continueBodies(app, services.limits.body_bytes);
  decodeBodies(app, services.limits.body_bytes);
  logAccess(app, logger);
  meterRequests(app, services.requests);
  describeApi(app, authFailureStatus);
  for (const route of ROUTES) route(app, services);

  return {
    app,
    setCertificate: (identity) => (app.server as unknown as TlsServer).setSecureContext(identity),
    close: (graceMs) => closeGracefully(app, drain, graceMs),
  };
}

function renderErrors(app: App, authFailureStatus: number): void {
  app.setNotFoundHandler((request) => {
    throw new DomainError('UnknownRoute', [request.method, request.url.slice(0, 256)]);
  });
  app.setErrorHandler((error, request, reply) => {
    const refusal = toDomainError(error);
    if (refusal.kind === 'Internal') request.log.error({ err: error, requestId: request.id }, 'request failed');
    // Fastify would hang up on the caller in the middle of its body, and a reset may overtake the answer.
    const { 'content-length': length, expect } = request.headers;
    const discarded = expect === undefined && !(Number(length) > DISCARDED_BODY_BYTES);
    if (refusal.kind === 'RequestTooLarge' && discarded) reply.removeHeader('connection');
    const { iam } = request.routeOptions.config;
    const answer = renderError(refusal, { authFailureStatus, iam });
    return reply.code(answer.status).headers(answer.headers).send(answer.body);
  });
}

async function closeGracefully(app: App, drain: Drain, graceMs: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
  // A connection whose answer is out while its body still comes in was not idle when the server closed; it will be.
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS);
  try {
    const idle = drain.start();
    await app.close();
    await idle;
  } finally {
    clearTimeout(cut);
    clearInterval(sweep);
  }
}
