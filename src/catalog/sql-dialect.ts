/** The databases that migrations know how to write for; everything but migrations is the same for both. */
export type SqlDialect = 'sqlite' | 'postgres';
