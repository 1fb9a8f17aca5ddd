/** What the cloud service gives each partition in a second: throttling imitates it, auto scaling measures by it. */
import type { StreamType } from './stream.ts';

export interface Bandwidth {
  readonly bytes: number;
  readonly records: number;
}

const MEGABYTE = 1024 * 1024;

export const WRITE_BANDWIDTH: Readonly<Record<StreamType, Bandwidth>> = {
  COMMON: { bytes: MEGABYTE, records: 1000 },
  ADVANCED: { bytes: 5 * MEGABYTE, records: 2000 },
};

export const READ_BANDWIDTH: Readonly<Record<StreamType, Bandwidth>> = {
  COMMON: { bytes: 2 * MEGABYTE, records: Infinity },
  ADVANCED: { bytes: 10 * MEGABYTE, records: Infinity },
};
