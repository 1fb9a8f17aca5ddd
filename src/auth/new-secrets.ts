/** Secrets that are made up here: as long as the cloud service's own, and as random. */
import type { Random } from '../platform/random.ts';
import { LETTERS_AND_DIGITS, randomText, UPPER_CASE_AND_DIGITS } from './random-text.ts';

const PASSWORD_LENGTH = 24;
const ACCESS_KEY_LENGTH = 20;
const SECRET_KEY_LENGTH = 40;
const ID_BYTES = 16;

export function newPassword(random: Random): string {
  return randomText(random, LETTERS_AND_DIGITS, PASSWORD_LENGTH);
}

export function newAccessKey(random: Random): string {
  return randomText(random, UPPER_CASE_AND_DIGITS, ACCESS_KEY_LENGTH);
}

export function newSecretKey(random: Random): string {
  return randomText(random, LETTERS_AND_DIGITS, SECRET_KEY_LENGTH);
}

/** Id of a user or a project: 32 hex digits. */
export function newId(random: Random): string {
  return random.bytes(ID_BYTES).toString('hex');
}
