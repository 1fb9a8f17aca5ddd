/** The statements about projects. A project belongs to one domain; its id stands in the path of every request. */
import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

export interface Project {
  /** 1–64 letters and digits. */
  readonly id: string;
  readonly domain: string;
  /** Unique within the domain. */
  readonly name: string;
}

export interface ProjectContents extends Project {
  /** How many there are. */
  readonly streams: number;
  readonly apps: number;
}

const COLUMNS = ['id', 'domain', 'name'] as const;

export function selectProject(db: Kysely<Database>, id: string): Promise<Project | undefined> {
  return db.selectFrom('projects').select(COLUMNS).where('id', '=', id).executeTakeFirst();
}

export function selectProjectByName(db: Kysely<Database>, domain: string, name: string): Promise<Project | undefined> {
  return db
    .selectFrom('projects')
    .select(COLUMNS)
    .where('domain', '=', domain)
    .where('name', '=', name)
    .executeTakeFirst();
}

/** The oldest first. */
export function selectProjectsOfDomain(db: Kysely<Database>, domain: string): Promise<Project[]> {
  return db
    .selectFrom('projects')
    .select(COLUMNS)
    .where('domain', '=', domain)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** With what is in them; in the order of domain and age, of all domains unless one is given. */
export function selectProjectContents(db: Kysely<Database>, domain?: string): Promise<ProjectContents[]> {
  return db
    .selectFrom('projects')
    .select(COLUMNS)
    .select((query) => [
      query
        .selectFrom('streams')
        .whereRef('streams.project_id', '=', 'projects.id')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .$asScalar()
        .$notNull()
        .as('streams'),
      query
        .selectFrom('apps')
        .whereRef('apps.project_id', '=', 'projects.id')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .$asScalar()
        .$notNull()
        .as('apps'),
    ])
    .$if(domain !== undefined, (query) => query.where('domain', '=', domain ?? ''))
    .orderBy('domain')
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** A taken id or name is a unique violation. */
export async function insertProject(db: Kysely<Database>, project: Project, createdAt: number): Promise<void> {
  const { id, domain, name } = project;
  await db.insertInto('projects').values({ id, domain, name, created_at: createdAt }).execute();
}

/** A taken name is a unique violation. */
export async function renameProject(db: Kysely<Database>, id: string, domain: string, name: string): Promise<void> {
  await db.updateTable('projects').set({ domain, name }).where('id', '=', id).execute();
}

/** The project alone: what is in it is the caller's to look for before. */
export async function deleteProject(db: Kysely<Database>, id: string): Promise<void> {
  await db.deleteFrom('projects').where('id', '=', id).execute();
}
