/** What Sluice adds to fastify's own types. */
// For what it adds to the schemas of routes: `summary`, `hide` and others.
import type {} from '@fastify/swagger';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Permission, Principal } from '../model/principal.ts';
import type { BufferLoan } from '../platform/buffer-pool.ts';
import type { SignedRequest } from '../auth/signature/signatures.ts';
import type { Services } from './services.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Name of the operation in logs, metrics and refusals. */
    readonly operation?: string;
    /** What it asks of the caller's role; absent: any role may. */
    readonly permission?: Permission;
    /** Open without a token. */
    readonly public?: boolean;
    /** Answers also while the node does not know whether its memory is true. */
    readonly always?: boolean;
    /** Its body may be missing: for the API description. */
    readonly optionalBody?: boolean;
    /** Takes protobuf messages, too: `request.body` is then their bytes, and no schema is looked at. */
    readonly protobuf?: boolean;
    /** Errors carry IAM's error object too. */
    readonly iam?: boolean;
  }
  interface FastifyRequest {
    /** Who is calling; not set on public routes. */
    principal: Principal;
    /** A signature whose body has yet to be seen; undefined for callers with a token. */
    signed: SignedRequest | undefined;
    /** The memory of `body` while that is bytes, to be given back by whoever is done with them; undefined for small bodies. */
    bodyLoan: BufferLoan | undefined;
  }
}

/** Bodies are typed by the typebox schema of their route. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Adds one operation to the application. */
export type Route = (app: App, services: Services) => void;
