/** GET /v2/{project_id}/files/{deliver_data_id}/state: the state of an uploaded small file. Retired, and said so. */
import { DomainError } from '../../../model/errors.ts';
import type { App } from '../../fastify-types.ts';

export function showFileStateRoute(app: App): void {
  app.get(
    '/v2/:projectId/files/:deliverDataId/state',
    { config: { operation: 'showFileState' }, schema: { hide: true } },
    () => {
      throw new DomainError('Retired', ['upload of small files']);
    },
  );
}
