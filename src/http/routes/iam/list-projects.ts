/**
 * GET /v3/projects and GET /v3/auth/projects: the projects of the caller's domain, all of which its users may use. SDKs
 * that are given no project ask for the one with the name of their region.
 */
import { selectProjectsOfDomain } from '../../../catalog/projects.ts';
import { domainIdOf } from '../../../model/principal.ts';
import type { App } from '../../fastify-types.ts';
import { queryOf, text, type Query } from '../../query.ts';
import { ProjectsReply } from '../../schemas/iam.ts';
import type { Services } from '../../services.ts';

const QUERY = queryOf({
  name: text('only the project of this name'),
  domain_id: text('only projects of this domain; those of another one are none'),
});

const PATHS = [
  { path: '/v3/projects', hide: false },
  { path: '/v3/auth/projects', hide: true },
];

export function listProjectsRoute(app: App, services: Services): void {
  for (const { path, hide } of PATHS) {
    app.get<{ Querystring: Query }>(
      path,
      {
        config: { operation: 'listProjects', iam: true },
        schema: { summary: 'List projects', hide, querystring: QUERY.schema, response: { 200: ProjectsReply } },
      },
      async ({ query, principal: { domain } }) => {
        const { name, domain_id: wanted } = QUERY.read(query);
        const domainId = domainIdOf(domain);
        const all = await selectProjectsOfDomain(services.catalog.db, domain);
        const projects = all.filter(
          (project) => (name ?? project.name) === project.name && (wanted ?? domainId) === domainId,
        );
        return {
          projects: projects.map((project) => ({
            id: project.id,
            name: project.name,
            domain_id: domainId,
            parent_id: domainId,
            is_domain: false,
            enabled: true,
            description: '',
            links: {},
          })),
          links: {},
        };
      },
    );
  }
}
