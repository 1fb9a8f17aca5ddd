/**
 * Kysely's dialect of PostgreSQL, but for texts with U+0000 (nul.ts) and for what fails outside of a statement: that is told
 * as CatalogUnavailable.
 */
import {
  PostgresDialect,
  PostgresDriver,
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type PostgresDialectConfig,
  type QueryResult,
} from 'kysely';
import { DomainError } from '../../model/errors.ts';
import { withoutNul } from './nul.ts';
import { isDisconnect, isOverload } from './failures.ts';

export class CatalogDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new CatalogDriver(this.#config);
  }
}

class CatalogDriver extends PostgresDriver {
  readonly #told = new WeakSet<DatabaseConnection>();

  override async acquireConnection(
    ...options: Parameters<PostgresDriver['acquireConnection']>
  ): ReturnType<PostgresDriver['acquireConnection']> {
    try {
      const connection = await super.acquireConnection(...options);
      if (!this.#told.has(connection)) this.#tell(connection);
      return connection;
    } catch (error) {
      throw told(error);
    }
  }

  /** Kysely keeps what it knows of a connection in the connection itself, so it cannot be wrapped. */
  #tell(connection: DatabaseConnection): void {
    this.#told.add(connection);
    const execute = connection.executeQuery.bind(connection);
    connection.executeQuery = async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
      try {
        return await execute<R>({ ...query, parameters: query.parameters.map(storable) });
      } catch (error) {
        throw told(error);
      }
    };
  }
}

function storable(parameter: unknown): unknown {
  return typeof parameter === 'string' ? withoutNul(parameter) : parameter;
}

function told(error: unknown): unknown {
  return isDisconnect(error) || isOverload(error) ? new DomainError('CatalogUnavailable', [], error) : error;
}
