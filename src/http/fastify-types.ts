/** What Sluice adds to fastify's own types. */
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Permission, Principal } from '../model/principal.ts';
import type { SignedRequest } from '../auth/signature/signatures.ts';
import type { Services } from './services.ts';

declare module 'fastify' {
  interface FastifySchema {
    /** One line for the API description. */
    readonly summary?: string;
  }
  interface FastifyContextConfig {
    /** Name of the operation in logs, metrics and refusals. */
    readonly operation?: string;
    /** What it asks of the caller's role; absent: any role may. */
    readonly permission?: Permission;
    /** Open without a token. */
    readonly public?: boolean;
    /** Errors carry IAM's error object too. */
    readonly iam?: boolean;
  }
  interface FastifyRequest {
    /** Who is calling; not set on public routes. */
    principal: Principal;
    /** A signature whose body has yet to be seen; undefined for callers with a token. */
    signed: SignedRequest | undefined;
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
