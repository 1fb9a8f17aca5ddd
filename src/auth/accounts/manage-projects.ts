/** Projects, as an operator manages them. A domain (account) comes with its first project and goes with its last. */
import type { Kysely } from 'kysely';
import { deleteTemporaryKeysOf, selectKeysOfProject } from '../../catalog/access-keys.ts';
import {
  deleteProject,
  insertProject,
  selectProject,
  selectProjectByName,
  selectProjectContents,
  type Project,
  type ProjectContents,
} from '../../catalog/projects.ts';
import type { Database } from '../../catalog/schema.ts';
import { deleteTokensOfProject } from '../../catalog/tokens.ts';
import { selectUsers } from '../../catalog/users.ts';
import { selectFirstProjectId } from '../first-user.ts';
import { newId } from '../new-secrets.ts';
import { domainOrFirst, findProject, type AccountContext } from './account-context.ts';
import { AccountError } from './account-error.ts';
import { checkName, DOMAIN_NAME, PROJECT_ID, PROJECT_NAME } from './account-names.ts';

/** Of all domains unless one is given. */
export function listProjects(db: Kysely<Database>, domain?: string): Promise<ProjectContents[]> {
  return selectProjectContents(db, domain);
}

/** `id` absent: one is made up. Throws AccountError for names that are bad or taken. */
export async function addProject(
  { db: catalog, clock, random }: AccountContext,
  {
    domain: given,
    name,
    id = newId(random),
  }: { readonly domain?: string | undefined; readonly name: string; readonly id?: string | undefined },
): Promise<Project> {
  if (given !== undefined) checkName(DOMAIN_NAME, 'domain', given);
  checkName(PROJECT_NAME, 'project', name);
  checkName(PROJECT_ID, 'project id', id);
  return catalog.transaction().execute(async (db) => {
    const domain = await domainOrFirst(db, given);
    if ((await selectProjectByName(db, domain, name)) !== undefined) {
      throw new AccountError(`there is a project "${name}" in domain "${domain}" already`);
    }
    if ((await selectProject(db, id)) !== undefined)
      throw new AccountError(`there is a project with the id ${id} already`);
    await insertProject(db, { id, domain, name }, clock.now());
    return { id, domain, name };
  });
}

/**
 * With the tokens and temporary keys for it. Throws AccountError for the first project, which the configuration would
 * bring back, and for one that something or somebody still needs.
 */
export async function removeProject(
  { db: catalog }: AccountContext,
  { domain: given, nameOrId }: { readonly domain?: string | undefined; readonly nameOrId: string },
): Promise<Project> {
  return catalog.transaction().execute(async (db) => {
    const project = await findProject(db, await domainOrFirst(db, given), nameOrId);
    const why = await reasonToKeep(db, project);
    if (why !== undefined) throw new AccountError(`project "${project.name}" of domain "${project.domain}" ${why}`);
    await deleteTokensOfProject(db, project.id);
    await deleteTemporaryKeysOf(db, { projectId: project.id });
    await deleteProject(db, project.id);
    return project;
  });
}

async function reasonToKeep(db: Kysely<Database>, { id, domain }: Project): Promise<string | undefined> {
  if (id === (await selectFirstProjectId(db))) return 'is the first one and cannot be removed';
  const projects = await selectProjectContents(db, domain);
  const { streams = 0, apps = 0 } = projects.find((project) => project.id === id) ?? {};
  if (streams > 0) return `has streams (${streams}): delete them first`;
  if (apps > 0) return `has apps (${apps}): delete them first`;
  const keys = await selectKeysOfProject(db, id);
  if (keys.length > 0) return `is the project of access keys (${keys.join(', ')}): remove them first`;
  if (projects.length === 1 && (await selectUsers(db, domain)).length > 0) {
    return 'is the last one of a domain with users: remove them first';
  }
  return undefined;
}
