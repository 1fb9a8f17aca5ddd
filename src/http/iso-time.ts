/** Times as IAM writes them: UTC, with six digits of a second. `time` is in ms since 1970. */
export function isoMicroseconds(time: number): string {
  return new Date(time).toISOString().replace('Z', '000Z');
}
