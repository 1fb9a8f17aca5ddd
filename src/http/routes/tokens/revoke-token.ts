/** DELETE /v3/auth/tokens: the token in `X-Subject-Token` is refused from now on. Whoever holds a token may end it. */
import { DomainError } from '../../../model/errors.ts';
import type { App } from '../../fastify-types.ts';
import type { Services } from '../../services.ts';

export function revokeTokenRoute(app: App, services: Services): void {
  app.delete(
    '/v3/auth/tokens',
    { config: { operation: 'revokeToken', public: true, iam: true } },
    async (request, reply) => {
      const token = request.headers['x-subject-token'];
      if (typeof token !== 'string' || token === '') throw new DomainError('TokenMissing');
      if (!(await services.tokens.revoke(token))) throw new DomainError('TokenInvalid');
      return reply.code(204).send();
    },
  );
}
