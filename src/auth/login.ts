/** The use case behind `POST /v3/auth/tokens`: a name and a password become a token for one project. */
import type { Kysely } from 'kysely';
import { selectProject, selectProjectByName, selectProjectsOfDomain, type Project } from '../catalog/projects.ts';
import type { Database } from '../catalog/schema.ts';
import { selectUserByName, type User } from '../catalog/users.ts';
import { DomainError } from '../model/errors.ts';
import { domainIdOf } from '../model/principal.ts';
import type { LoginLimiter } from './login-limiter.ts';
import type { Passwords } from './passwords.ts';
import type { IssuedToken, Tokens } from './tokens.ts';

export interface LoginContext {
  readonly db: Kysely<Database>;
  readonly passwords: Passwords;
  readonly tokens: Tokens;
  readonly limiter: LoginLimiter;
}

/** The project asked for: by id, else by name, else the first one of the domain. */
export interface LoginScope {
  readonly projectId?: string | undefined;
  readonly projectName?: string | undefined;
  /** The project's domain, by name or by id; the user's when absent. */
  readonly domain?: string | undefined;
  readonly domainId?: string | undefined;
}

export interface LoginRequest {
  readonly domain: string;
  readonly user: string;
  readonly password: string;
  readonly scope?: LoginScope | undefined;
}

/**
 * Throws LoginFailed without telling whether the name or the password was wrong, LoginBlockedError when `source` has
 * failed too often, TooManyRequests when too many logins wait, and NotPermitted for a project that there is not or
 * that is another domain's.
 */
export async function login(context: LoginContext, request: LoginRequest, source: string): Promise<IssuedToken> {
  const { db, limiter, passwords, tokens } = context;
  limiter.check(source);
  const user = await selectUserByName(db, request.domain, request.user);
  // Counted when its turn has come: many tries sent at once have all passed the check above.
  const right = await passwords.verify(request.password, user?.passwordHash, () => limiter.attempt(source));
  if (user === undefined || !right) throw new DomainError('LoginFailed');
  limiter.succeeded(source);
  return tokens.issue(user, await findProject(db, user, request.scope ?? {}));
}

async function findProject(db: Kysely<Database>, user: User, scope: LoginScope): Promise<Project> {
  const { projectId, projectName, domain = user.domain, domainId } = scope;
  let project: Project | undefined;
  if (projectId !== undefined) project = await selectProject(db, projectId);
  else if (projectName !== undefined) project = await selectProjectByName(db, domain, projectName);
  else [project] = await selectProjectsOfDomain(db, domain);
  // One answer for "not yours" and "not there": ids cannot be probed.
  const isNamedOwn = domain === user.domain && (domainId ?? domainIdOf(domain)) === domainIdOf(domain);
  if (project?.domain !== user.domain || !isNamedOwn) throw new DomainError('NotPermitted');
  return project;
}
