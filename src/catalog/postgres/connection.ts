import { readFile } from 'node:fs/promises';
import type { ClientConfig } from 'pg';
import type { PostgresSettings } from './postgres-settings.ts';

/** What every connection to PostgreSQL has in common. Rejects when the file of `tls_ca` cannot be read. */
export async function connectionOf(
  settings: PostgresSettings & { readonly url: string },
  applicationName: string,
): Promise<ClientConfig> {
  const ca = settings.tls_ca === undefined ? undefined : await readFile(settings.tls_ca, 'utf8');
  return {
    connectionString: settings.url,
    ...(ca === undefined ? {} : { ssl: { ca } }),
    application_name: applicationName,
    connectionTimeoutMillis: settings.connect_timeout_ms,
    keepAlive: true,
  };
}
