/** Certificates of specs: their keys are published here, and they stand for nobody. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const fileOf = (name: string) => fileURLToPath(new URL(`../src/certificates/${name}`, import.meta.url));

/** What signed the other two. */
export const caFile = fileOf('ca.pem');
/** Of localhost and 127.0.0.1. */
export const loopback = { certFile: fileOf('loopback.pem'), keyFile: fileOf('loopback.key') };
/** Of driftloop.test alone. */
export const named = { certFile: fileOf('named.pem'), keyFile: fileOf('named.key') };

/** The text of one of the files. */
export const pem = (file: string): string => readFileSync(file, 'utf8');
