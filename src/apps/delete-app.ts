/** Deletes an app with its checkpoints. An app that has members online is in use. */
import type { ConsumerApp } from '../model/consumer-app.ts';
import { DomainError } from '../model/errors.ts';
import type { AppServices } from './app-services.ts';

/** Throws AppInUse, and AppNotFound when it was deleted meanwhile. */
export async function deleteApp(
  { appChanges, groups }: Pick<AppServices, 'appChanges' | 'groups'>,
  app: ConsumerApp,
): Promise<void> {
  // From the count of its members to the end nobody joins it.
  await groups.whileClosed(app, async (onlineMembers) => {
    await appChanges.delete(app, async (transaction) => {
      const online = await onlineMembers(transaction);
      if (online > 0) throw new DomainError('AppInUse', [app.name, `members online: ${online}`]);
    });
  });
}
