/**
 * Temporary access keys: made by whoever is logged in, acting as its maker in one project until they expire. A security
 * token must come with every request; the catalog keeps its hash only.
 */
import { hash } from 'node:crypto';
import type { Kysely } from 'kysely';
import { deleteExpiredAccessKeys, insertAccessKey } from '../catalog/access-keys.ts';
import type { Database } from '../catalog/schema.ts';
import type { Principal } from '../model/principal.ts';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import { newAccessKey, newSecretKey } from './new-secrets.ts';

/** Seconds, both ends included, and what is taken when nothing is said. */
export const TEMPORARY_KEY_LIFE = { min: 900, max: 86_400, fallback: 900 } as const;

const SECURITY_TOKEN_BYTES = 96;

export interface TemporaryKey {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly securityToken: string;
  /** In ms since 1970: first moment at which the key is no longer good. */
  readonly expiresAt: number;
}

export interface TemporaryKeysOptions {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly random: Random;
}

export class TemporaryKeys {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor({ db, clock, random }: TemporaryKeysOptions) {
    this.#db = db;
    this.#clock = clock;
    this.#random = random;
  }

  async issue({ userId, projectId }: Principal, lifeSeconds: number): Promise<TemporaryKey> {
    const now = this.#clock.now();
    const expiresAt = now + lifeSeconds * 1000;
    const accessKey = newAccessKey(this.#random);
    const secretKey = newSecretKey(this.#random);
    const securityToken = this.#random.bytes(SECURITY_TOKEN_BYTES).toString('base64url');
    const securityTokenHash = hash('sha256', securityToken, 'hex');
    const key = { accessKey, secretKey, userId, projectId };
    await insertAccessKey(this.#db, key, now, { securityTokenHash, expiresAt });
    return { accessKey, secretKey, securityToken, expiresAt };
  }

  /** Forgets expired keys, which are refused anyway; returns how many. To be called now and then. */
  purgeExpired(): Promise<number> {
    return deleteExpiredAccessKeys(this.#db, this.#clock.now());
  }
}
