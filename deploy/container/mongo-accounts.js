// Run by the mongo image when its data folder is new, by mongosh: the account of the services. They read and write, and manage no users.
const { readFileSync } = require('node:fs');

const folder = process.env.MONGO_SECRETS || '/run/servers/mongo';
const pwd = readFileSync(`${folder}/services.password`, 'utf8').trim();
db.getSiblingDB('admin').createUser({ user: 'driftloop', pwd, roles: ['readWriteAnyDatabase'] });
