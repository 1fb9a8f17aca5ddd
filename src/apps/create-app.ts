/** Makes an app. The catalog decides: its unique names let one of several concurrent creates win, and it counts the quota. */
import { countApps, insertApp } from '../catalog/apps.ts';
import type { ConsumerApp } from '../model/consumer-app.ts';
import { DomainError } from '../model/errors.ts';
import { makeId } from '../model/ids.ts';
import type { Limits } from '../model/limits.ts';
import { NAME_PATTERN } from '../model/stream.ts';
import type { AppServices } from './app-services.ts';

const NAME = new RegExp(NAME_PATTERN);

/** Resolves to the new app, durable and known to every node. Throws InvalidBody, AppExists, AppQuotaExceeded. */
export async function createApp(
  { appChanges, clock, limits, random }: Pick<AppServices, 'appChanges' | 'clock' | 'limits' | 'random'>,
  projectId: string,
  name: string,
): Promise<ConsumerApp> {
  checkName(name, limits);
  const app = { id: makeId((size) => random.bytes(size)), projectId, name, createdAt: clock.now() };
  await appChanges.make(app, async (transaction) => {
    if (!(await insertApp(transaction, app))) throw new DomainError('AppExists', [name]);
    if ((await countApps(transaction, projectId)) > limits.apps) {
      throw new DomainError('AppQuotaExceeded', [limits.apps]);
    }
  });
  return app;
}

function checkName(name: string, { app_name_length: longest }: Limits): void {
  if (name.length === 0 || name.length > longest || !NAME.test(name)) {
    throw new DomainError('InvalidBody', ['app_name', `must be 1 to ${longest} letters, digits, _ and -`]);
  }
}
