/** GET /v3/auth/tokens: what the token in `X-Subject-Token` stands for, as told at its creation. */
import { DomainError } from '../../../model/errors.ts';
import type { App } from '../../fastify-types.ts';
import { SubjectTokenHeader, TokenReply } from '../../schemas/tokens.ts';
import type { Services } from '../../services.ts';
import { readSubjectToken } from './subject-token.ts';
import { tokenReply } from './token-reply.ts';

export function describeTokenRoute(app: App, services: Services): void {
  app.get<{ Headers: SubjectTokenHeader }>(
    '/v3/auth/tokens',
    {
      config: { operation: 'describeToken', iam: true },
      schema: { summary: 'Describe a token', headers: SubjectTokenHeader, response: { 200: TokenReply } },
    },
    async ({ headers, principal: caller }, reply) => {
      const token = readSubjectToken(headers);
      const principal = await services.tokens.verify(token);
      // A token of another account is like one that there is not.
      if (principal.domain !== caller.domain) throw new DomainError('TokenInvalid', ['X-Subject-Token']);
      if (principal.userId !== caller.userId && caller.role !== 'admin') {
        throw new DomainError('NotPermitted', ['describeToken']);
      }
      return reply.header('X-Subject-Token', token).send(tokenReply(principal));
    },
  );
}
