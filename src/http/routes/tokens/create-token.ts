/** POST /v3/auth/tokens: a login as Keystone has it. The token travels in a header, what it stands for in the body. */
import { login } from '../../../auth/login.ts';
import type { TokenPrincipal } from '../../../auth/tokens.ts';
import type { App } from '../../fastify-types.ts';
import { CreateTokenBody } from '../../schemas/tokens.ts';
import type { Services } from '../../services.ts';

/** Every user may do everything in its project: the one role there is. */
const ROLES = [{ id: '0', name: 'dis_adm' }];

export function createTokenRoute(app: App, services: Services): void {
  app.post(
    '/v3/auth/tokens',
    { config: { operation: 'createToken', public: true, iam: true }, schema: { body: CreateTokenBody } },
    async (request, reply) => {
      const { token, principal } = await login(services.login, toLogin(request.body), request.ip);
      return reply
        .code(201)
        .header('X-Subject-Token', token)
        .send({ token: describe(principal) });
    },
  );
}

function toLogin({ auth: { identity, scope } }: CreateTokenBody) {
  const { name: user, password, domain } = identity.password.user;
  const project = scope?.project;
  return {
    domain: domain.name,
    user,
    password,
    scope: {
      projectId: project?.id || undefined,
      projectName: project?.name || undefined,
      domain: project?.domain?.name || undefined,
    },
  };
}

function describe({ userId, userName, projectId, projectName, domain: name, issuedAt, expiresAt }: TokenPrincipal) {
  // Accounts have no ids here; clients only hand them back.
  const domain = { id: name, name };
  return {
    methods: ['password'],
    issued_at: isoMicroseconds(issuedAt),
    expires_at: isoMicroseconds(expiresAt),
    project: { id: projectId, name: projectName, domain },
    user: { id: userId, name: userName, domain, password_expires_at: '' },
    roles: ROLES,
    catalog: [],
  };
}

/** Keystone writes six digits of a second. */
function isoMicroseconds(time: number): string {
  return new Date(time).toISOString().replace('Z', '000Z');
}
