/**
 * Who is calling: `X-Auth-Token` becomes `request.principal` before the body is read. A path that names a project is
 * served only to tokens of that project. Routes with `config: { public: true }` are open to everybody.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Principal, Tokens } from '../../auth/tokens.ts';
import { DomainError } from '../../model/errors.ts';

export function authenticate(app: FastifyInstance, tokens: Tokens): void {
  app.decorateRequest('principal', null as unknown as Principal);
  // With a callback: a token that is known costs no turn of the event loop.
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config.public === true || request.is404) return done();
    const token = request.headers['x-auth-token'];
    if (typeof token !== 'string' || token === '') return done(new DomainError('TokenMissing'));
    const known = tokens.cached(token);
    if (known !== undefined) return done(admit(request, known));
    tokens.verify(token).then(
      (principal) => done(admit(request, principal)),
      (error: Error) => done(error),
    );
  });
}

function admit(request: FastifyRequest, principal: Principal): DomainError | undefined {
  const { projectId } = request.params as { readonly projectId?: string };
  if (projectId !== undefined && projectId !== principal.projectId) {
    return new DomainError('ProjectMismatch', [projectId.slice(0, 64)]);
  }
  request.principal = principal;
  return undefined;
}
