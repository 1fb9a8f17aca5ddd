/** POST /v3.0/OS-CREDENTIAL/securitytokens: a temporary access key for the caller, or for whom a token stands. */
import type { FastifyRequest } from 'fastify';
import { TEMPORARY_KEY_LIFE } from '../../../auth/temporary-keys.ts';
import { DomainError } from '../../../model/errors.ts';
import type { App } from '../../fastify-types.ts';
import { isoMicroseconds } from '../../iso-time.ts';
import { CreateSecurityTokenBody, SecurityTokenReply } from '../../schemas/iam.ts';
import type { Services } from '../../services.ts';

export function createSecurityTokenRoute(app: App, services: Services): void {
  app.post<{ Body: CreateSecurityTokenBody }>(
    '/v3.0/OS-CREDENTIAL/securitytokens',
    {
      config: { operation: 'createSecurityToken', iam: true },
      schema: {
        summary: 'Make a temporary access key',
        body: CreateSecurityTokenBody,
        response: { 201: SecurityTokenReply },
      },
    },
    async (request, reply) => {
      const { token, policy } = request.body.auth.identity;
      if (policy) throw new DomainError('InvalidBody', ['auth.identity.policy', 'is not supported']);
      if (isSignedTemporarily(request)) throw new DomainError('NotPermitted', ['createSecurityToken']);
      const principal = token?.id ? await services.tokens.verify(token.id) : request.principal;
      const lifeSeconds = token?.duration_seconds ?? TEMPORARY_KEY_LIFE.fallback;
      const key = await services.temporaryKeys.issue(principal, lifeSeconds);
      const { accessKey: access, secretKey: secret, securityToken: securitytoken } = key;
      const expires_at = isoMicroseconds(key.expiresAt);
      return reply.code(201).send({ credential: { access, secret, securitytoken, expires_at } });
    },
  );
}

/** A temporary key that made others would never end. Its signature is good only with its security token. */
function isSignedTemporarily({ signed, headers }: FastifyRequest): boolean {
  return signed !== undefined && Boolean(headers['x-security-token']);
}
