/** What Sluice adds to fastify's own types. */
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Principal } from '../auth/tokens.ts';
import type { Services } from './services.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Name of the operation in the access log. */
    readonly operation?: string;
    /** Open without a token. */
    readonly public?: boolean;
    /** Errors carry IAM's error object too. */
    readonly iam?: boolean;
  }
  interface FastifyRequest {
    /** Who is calling; not set on public routes. */
    principal: Principal;
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
