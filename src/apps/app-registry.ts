/**
 * All apps of this node in memory: every commit and every heartbeat names one. The catalog is the truth; whoever makes or
 * deletes an app tells the registry, and takes an app that is being deleted out of it before the catalog's turn, so that
 * nothing is stored any more for an app that is not found here.
 */
import type { ConsumerApp } from '../model/consumer-app.ts';
import { DomainError } from '../model/errors.ts';

export class AppRegistry {
  /** Project, then name. */
  readonly #byName = new Map<string, Map<string, ConsumerApp>>();
  readonly #byId = new Map<string, ConsumerApp>();

  constructor(apps: Iterable<ConsumerApp> = []) {
    for (const app of apps) this.add(app);
  }

  find(projectId: string, name: string): ConsumerApp | undefined {
    return this.#byName.get(projectId)?.get(name);
  }

  /** Throws AppNotFound. */
  require(projectId: string, name: string): ConsumerApp {
    const app = this.find(projectId, name);
    if (app === undefined) throw new DomainError('AppNotFound', [name.slice(0, 256)]);
    return app;
  }

  /** Whether the app is there still. */
  has(appId: string): boolean {
    return this.#byId.has(appId);
  }

  /** The apps of a project, in order of name (by code unit). */
  ofProject(projectId: string): ConsumerApp[] {
    const apps = [...(this.#byName.get(projectId)?.values() ?? [])];
    return apps.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  add(app: ConsumerApp): void {
    let names = this.#byName.get(app.projectId);
    if (names === undefined) this.#byName.set(app.projectId, (names = new Map<string, ConsumerApp>()));
    names.set(app.name, app);
    this.#byId.set(app.id, app);
  }

  remove(app: ConsumerApp): void {
    this.#byName.get(app.projectId)?.delete(app.name);
    this.#byId.delete(app.id);
  }
}
