// Makes the secrets of a house at its first start, a file each in the folder that the house's containers share; what is there
// stays. `token` opens every door; `replay.token` may also say what time it is.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder = '/run/driftloop'] = process.argv.slice(2);
const random = () => randomBytes(24).toString('base64url');

/** What the file holds, made if it is not there: whole or not at all, whenever this is killed. */
function keep(name, make, mode = 0o400) {
  const file = join(folder, name);
  if (!existsSync(file)) {
    rmSync(`${file}.new`, { force: true }); // of a start that was cut short: nobody may write it any more
    writeFileSync(`${file}.new`, `${make()}\n`, { mode });
    renameSync(`${file}.new`, file);
  }
  return readFileSync(file, 'utf8').trim();
}

keep('token', random);
keep('replay.token', random);
const key = keep('s3.key', random);
keep('minio.env', () => `MINIO_ROOT_USER=driftloop\nMINIO_ROOT_PASSWORD=${key}`);
keep('grafana.password', random, 0o444); // Grafana's user is another
console.log(`the house's token: docker compose exec gateway cat ${join(folder, 'token')}`);
