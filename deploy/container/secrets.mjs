// Makes the secrets of a deployment at its first start, a file each; what is there stays. The first folder is shared by our own containers:
// `token` opens every door; `replay.token` may also say what time it is. Below the second each server has a folder of its own, and
// sees no other: its user is not ours, so that it is the folder that keeps others out.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [own = '/run/driftloop', servers = '/run/servers'] = process.argv.slice(2);
const random = () => randomBytes(24).toString('base64url');

/** What the file holds, made if it is not there: whole or not at all, whenever this is killed. */
function keep(file, make, mode) {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    rmSync(`${file}.new`, { force: true }); // of a start that was cut short: nobody may write it any more
    writeFileSync(`${file}.new`, `${make()}\n`, { mode });
    renameSync(`${file}.new`, file);
  }
  return readFileSync(file, 'utf8').trim();
}
const ours = (name, make = random) => keep(join(own, name), make, 0o400);
const theirs = (name, make = random) => keep(join(servers, name), make, 0o444);

ours('token');
ours('replay.token');
const s3 = ours('s3.key');
theirs('minio/minio.env', () => `MINIO_ROOT_USER=driftloop\nMINIO_ROOT_PASSWORD=${s3}`);
const kafka = ours('kafka.password');
theirs('kafka/password', () => kafka);
theirs('kafka/cluster', () => randomBytes(16).toString('base64url'));
theirs('mongo/root.password');
theirs('mongo/key', () => randomBytes(96).toString('base64'));
const mongo = theirs('mongo/services.password');
ours('mongodb.uri', () => `mongodb://driftloop:${mongo}@mongo:27017/?replicaSet=rs0&authSource=admin`);
theirs('grafana/password');
console.log(`the house's token: docker compose exec gateway cat ${join(own, 'token')}`);
