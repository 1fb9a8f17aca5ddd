/**
 * Where the manifest of a period is: `<prefix>/_manifests/<task_id>/2026/11/23/10.json`, addenda beside it as `10.1.json`,
 * `10.2.json`. The time is the start of the period as the task's clock shows it, as fine as the task's directories.
 */
import { MANIFESTS_FOLDER, objectKey } from '../cuts/object-name.ts';
import { parseTemplate } from '../paths/path-template.ts';
import { TimeSlots } from '../paths/time-slots.ts';
import { timeZone } from '../paths/time-zone.ts';
import type { DumpSettings } from '../settings/settings.ts';

export interface ManifestName {
  readonly taskId: string;
  /** Start of the period in ms. */
  readonly period: number;
  readonly number: number;
}

type PathSettings = Pick<DumpSettings, 'prefix' | 'partitionFormat' | 'pathTemplate' | 'timeZone'>;

/**
 * `unlike` tells the period by its number, for a path that is another period's already: a clock of another zone shows
 * times again.
 */
export function manifestKey(settings: PathSettings, { taskId, period, number }: ManifestName, unlike = false): string {
  const path = timePath(settings, period);
  const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  const name = `${path.slice(path.lastIndexOf('/') + 1)}${unlike ? `-${period}` : ''}${number === 0 ? '' : `.${number}`}.json`;
  return objectKey(objectKey(settings.prefix, MANIFESTS_FOLDER, taskId), folder, name);
}

function timePath({ partitionFormat, pathTemplate, timeZone: zone }: PathSettings, period: number): string {
  const depth = pathTemplate === undefined ? partitionFormat.split('/').length : parseTemplate(pathTemplate).timeDepth;
  return new TimeSlots(depth, timeZone(zone), (parts) => parts.join('/')).at(period);
}
