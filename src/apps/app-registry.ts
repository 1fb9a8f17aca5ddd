/**
 * All apps in memory: every commit and every heartbeat names one. The catalog is the truth, and app-follower.ts brings
 * the registry there.
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

  /** Every app of every project. */
  all(): Iterable<ConsumerApp> {
    return this.#byId.values();
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

  /** False when there is no such app. */
  remove(appId: string): boolean {
    const app = this.#byId.get(appId);
    if (app === undefined) return false;
    this.#byId.delete(appId);
    // Its name may be another app's by now.
    const names = this.#byName.get(app.projectId);
    if (names?.get(app.name) === app) names.delete(app.name);
    return true;
  }
}
