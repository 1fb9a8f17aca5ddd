/** Deletes an app with its checkpoints. An app that has members online is in use. */
import { deleteAppRows } from '../catalog/apps.ts';
import type { ConsumerApp } from '../model/consumer-app.ts';
import { DomainError } from '../model/errors.ts';
import type { AppServices } from './app-services.ts';

/** Throws AppInUse. */
export async function deleteApp(
  { apps, groups, catalog }: Pick<AppServices, 'apps' | 'groups' | 'catalog'>,
  app: ConsumerApp,
): Promise<void> {
  const online = groups.onlineMembers(app);
  if (online > 0) throw new DomainError('AppInUse', [app.name, `members online: ${online}`]);
  // First of all: from now on nobody joins it, and no checkpoint is stored for it.
  apps.remove(app);
  try {
    await catalog.db.transaction().execute((transaction) => deleteAppRows(transaction, app.id));
  } catch (error) {
    apps.add(app);
    throw error;
  }
  groups.forget(app);
}
