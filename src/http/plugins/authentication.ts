/**
 * Who is calling: a token (`X-Auth-Token`) or a signature (`Authorization`) becomes `request.principal`. A token is looked
 * at before the body is read; of a signature, everything but the body: its last word comes when the body is there,
 * before anything of it is decoded. A path that names a project is served only to callers of that project, and an
 * operation only to roles that may have it. Routes with `config: { public: true }` are open to everybody.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RequestSignatures, SignedRequest } from '../../auth/signature/signatures.ts';
import type { Tokens } from '../../auth/tokens.ts';
import { DomainError } from '../../model/errors.ts';
import { requirePermission, type Principal } from '../../model/principal.ts';

export interface Authenticators {
  readonly tokens: Tokens;
  readonly signatures: RequestSignatures;
}

export function authenticate(app: FastifyInstance, { tokens, signatures }: Authenticators): void {
  app.decorateRequest('principal', null as unknown as Principal);
  app.decorateRequest('signed', undefined);
  // With callbacks: a token that is known costs no turn of the event loop.
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config.public === true || request.is404) return done();
    const token = request.headers['x-auth-token'];
    if (typeof token === 'string' && token !== '') {
      const known = tokens.cached(token);
      if (known !== undefined) return done(admit(request, known));
      tokens.verify(token).then(
        (principal) => done(admit(request, principal)),
        (error: Error) => done(error),
      );
      return;
    }
    if (request.headers.authorization === undefined) return done(new DomainError('TokenMissing'));
    beginSignature(signatures, request).then(
      (signed) => {
        request.signed = signed;
        done();
      },
      (error: Error) => done(error),
    );
  });
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.signed === undefined) return done();
    verifySignature(request.signed, request.body as Buffer | undefined).then(
      (principal) => done(admit(request, principal)),
      (error: Error) => done(error),
    );
  });
}

async function beginSignature(signatures: RequestSignatures, request: FastifyRequest): Promise<SignedRequest> {
  const { projectId } = request.params as { readonly projectId?: string };
  const { method, url } = request.raw;
  return signatures.begin({ method: method ?? '', target: url ?? '', headers: request.headers, projectId });
}

async function verifySignature(signed: SignedRequest, body: Buffer | undefined): Promise<Principal> {
  return signed.verify(body);
}

function admit(request: FastifyRequest, principal: Principal): DomainError | undefined {
  const { projectId } = request.params as { readonly projectId?: string };
  if (projectId !== undefined && projectId !== principal.projectId) {
    return new DomainError('ProjectMismatch', [projectId.slice(0, 64)]);
  }
  const { permission = 'any', operation = '' } = request.routeOptions.config;
  try {
    requirePermission(principal, permission, operation);
  } catch (error) {
    return error as DomainError;
  }
  request.principal = principal;
  return undefined;
}
