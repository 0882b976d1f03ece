import { type Bus, type VersionAnnouncement, standingVersion, versionsPrefix } from '@shoal/bus';

/** What the model-workers announce of the versions that they serve. */
export class Versions {
  readonly #said = new Map<string, Map<string, VersionAnnouncement>>();
  readonly #unwatch: () => void;

  constructor(bus: Bus) {
    this.#unwatch = bus.watch<VersionAnnouncement>(versionsPrefix, (key, value) => {
      const [model = '', version = '', worker = ''] = key.slice(versionsPrefix.length).split('/');
      const name = `${model}/${version}`;
      const said = this.#said.get(name) ?? new Map<string, VersionAnnouncement>();
      if (value) said.set(worker, value);
      else said.delete(worker);
      if (said.size > 0) this.#said.set(name, said);
      else this.#said.delete(name);
    });
  }

  /** What holds of a version; undefined when nobody speaks of it. */
  find(model: string, version: string): VersionAnnouncement | undefined {
    return standingVersion(this.#said.get(`${model}/${version}`)?.values() ?? []);
  }

  close(): void {
    this.#unwatch();
  }
}
