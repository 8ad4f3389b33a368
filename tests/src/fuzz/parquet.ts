/** A good Parquet file of rows, as other programs write them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** Its bytes: rows of the source `traffic`. */
export async function parquetOf(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'driftloop-fuzz-file-'));
  try {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    const path = join(folder, 'rows.parquet');
    await connection.run(
      `COPY (SELECT 'city' AS entity_id, TIMESTAMP '2024-01-06' + i * INTERVAL 1 HOUR AS event_time,
        TIMESTAMP '2024-01-06' + i * INTERVAL 1 HOUR AS known_at, i / 50.0 AS jam FROM range(20) AS t(i))
       TO '${path}' (FORMAT parquet)`,
    );
    connection.closeSync();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
