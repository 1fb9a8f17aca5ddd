/** What everything that changes accounts works with, and how it finds what it is told to change. */
import type { Kysely } from 'kysely';
import { selectProjectsOfDomain, type Project } from '../../catalog/projects.ts';
import type { Database } from '../../catalog/schema.ts';
import { selectUser, selectUserByName, type User } from '../../catalog/users.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Random } from '../../platform/random.ts';
import { selectFirstUserId } from '../first-user.ts';
import type { Passwords } from '../passwords.ts';
import { AccountError } from './account-error.ts';

export interface AccountContext {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly random: Random;
  readonly passwords: Passwords;
}

/** `domain`, or the first user's when there is none. */
export async function domainOrFirst(db: Kysely<Database>, domain: string | undefined): Promise<string> {
  if (domain !== undefined) return domain;
  const id = await selectFirstUserId(db);
  const user = id === undefined ? undefined : await selectUser(db, id);
  if (user === undefined) throw new AccountError('there is no first user yet: start the server once, or name a domain');
  return user.domain;
}

/** Throws AccountError when the domain has no such user. */
export async function findUser(db: Kysely<Database>, domain: string, name: string): Promise<User> {
  const user = await selectUserByName(db, domain, name);
  if (user === undefined) throw new AccountError(`there is no user "${name}" in domain "${domain}"`);
  return user;
}

/**
 * By name, by id, or the oldest one of the domain when neither is given. Throws AccountError when the domain has no such
 * project, or none at all: a domain is there as long as it has one.
 */
export async function findProject(db: Kysely<Database>, domain: string, nameOrId?: string): Promise<Project> {
  const projects = await selectProjectsOfDomain(db, domain);
  const [oldest] = projects;
  if (oldest === undefined) throw new AccountError(`there is no domain "${domain}": add a project to it first`);
  if (nameOrId === undefined) return oldest;
  const project = projects.find(({ name }) => name === nameOrId) ?? projects.find(({ id }) => id === nameOrId);
  if (project === undefined) throw new AccountError(`there is no project "${nameOrId}" in domain "${domain}"`);
  return project;
}
