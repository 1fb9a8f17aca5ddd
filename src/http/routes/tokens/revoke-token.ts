/** DELETE /v3/auth/tokens: the token in `X-Subject-Token` is refused from now on. Whoever holds a token may end it. */
import { DomainError } from '../../../model/errors.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import { SubjectTokenHeader } from '../../schemas/tokens.ts';
import type { Services } from '../../services.ts';
import { readSubjectToken } from './subject-token.ts';

export function revokeTokenRoute(app: App, services: Services): void {
  app.delete<{ Headers: SubjectTokenHeader }>(
    '/v3/auth/tokens',
    {
      config: { operation: 'revokeToken', public: true, iam: true },
      schema: { summary: 'Revoke a token', headers: SubjectTokenHeader, response: { 204: Empty } },
    },
    async ({ headers }, reply) => {
      const token = readSubjectToken(headers);
      if (!(await services.tokens.revoke(token))) throw new DomainError('TokenInvalid', ['X-Subject-Token']);
      return reply.code(204).send();
    },
  );
}
