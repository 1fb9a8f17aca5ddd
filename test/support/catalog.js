/** A migrated embedded catalog in a folder of its own, gone with `close`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from "../../src/catalog/migrate.js";
import { openSqliteCatalog } from "../../src/catalog/sqlite/open.js";
export async function openTestCatalog() {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-catalog-'));
    const path = join(folder, 'catalog.db');
    const catalog = await openSqliteCatalog({ path });
    await migrate(catalog.db);
    const close = async () => {
        await catalog.close();
        await rm(folder, { recursive: true, force: true });
    };
    return {
        db: catalog.db,
        reader: catalog.reader,
        folder,
        reopen: () => openSqliteCatalog({ path }),
        close,
        [Symbol.asyncDispose]: close,
    };
}
//# sourceMappingURL=catalog.js.map