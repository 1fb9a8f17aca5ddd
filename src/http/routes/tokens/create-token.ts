/** POST /v3/auth/tokens: a login as Keystone has it. The token travels in a header, what it stands for in the body. */
import { login } from '../../../auth/login.ts';
import type { App } from '../../fastify-types.ts';
import { CreateTokenBody, TokenReply } from '../../schemas/tokens.ts';
import type { Services } from '../../services.ts';
import { tokenReply } from './token-reply.ts';

export function createTokenRoute(app: App, services: Services): void {
  app.post<{ Body: CreateTokenBody }>(
    '/v3/auth/tokens',
    {
      config: { operation: 'createToken', public: true, iam: true },
      schema: { summary: 'Log in', body: CreateTokenBody, response: { 201: TokenReply } },
    },
    async (request, reply) => {
      const { token, principal } = await login(services.login, toLogin(request.body), request.ip);
      return reply.code(201).header('X-Subject-Token', token).send(tokenReply(principal));
    },
  );
}

function toLogin({ auth: { identity, scope } }: CreateTokenBody) {
  const { name: user, password, domain } = identity.password.user;
  const project = scope?.project;
  const scopeDomain = project?.domain ?? scope?.domain;
  return {
    domain: domain.name,
    user,
    password,
    scope: {
      projectId: project?.id || undefined,
      projectName: project?.name || undefined,
      domain: scopeDomain?.name || undefined,
      domainId: scopeDomain?.id || undefined,
    },
  };
}
