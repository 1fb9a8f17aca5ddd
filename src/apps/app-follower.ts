/** Brings the registry of apps to what the catalog says, and is the only one that writes it after the start: see StreamFollower. */
import type { Kysely } from 'kysely';
import { selectApps } from '../catalog/apps.ts';
import type { Database } from '../catalog/schema.ts';
import { CatchUp } from '../platform/catch-up.ts';
import type { Clock } from '../platform/clock.ts';
import type { AppRegistry } from './app-registry.ts';

export interface AppFollowerOptions {
  readonly db: Kysely<Database>;
  readonly apps: AppRegistry;
  readonly clock: Clock;
  /** Told the id of an app that is gone. */
  readonly onGone: (appId: string) => void;
  /** Told why apps could not be read; they are read again. */
  readonly onError: (error: unknown) => void;
}

/** Databases bound the parameters of one statement. */
const APPS_PER_READ = 1000;

export class AppFollower {
  readonly #options: AppFollowerOptions;
  /** Apps by id. */
  readonly memory: CatchUp<string>;

  constructor(options: AppFollowerOptions) {
    this.#options = options;
    const { clock, onError } = options;
    this.memory = new CatchUp({ clock, onError, read: (ids) => this.#read(ids) });
  }

  async #read(ids: readonly string[] | 'all'): Promise<void> {
    const { apps } = this.#options;
    if (ids === 'all') {
      const known = Array.from(apps.all(), ({ id }) => id);
      return this.#take(undefined, known);
    }
    for (let at = 0; at < ids.length; at += APPS_PER_READ) {
      const some = ids.slice(at, at + APPS_PER_READ);
      await this.#take(some, some);
    }
  }

  /** Reads `wanted`, undefined: every app; those of `ids` that are not there are gone. */
  async #take(wanted: readonly string[] | undefined, ids: readonly string[]): Promise<void> {
    const { db, apps, onGone } = this.#options;
    const gone = new Set(ids);
    for (const app of await selectApps(db, wanted)) {
      gone.delete(app.id);
      if (!apps.has(app.id)) apps.add(app);
    }
    for (const id of gone) {
      if (apps.remove(id)) onGone(id);
    }
  }
}
