/** The embedded documents hold the documents' contract. */

import { describeDocuments } from './documents.contract.js';
import { temporaryDocuments } from './testing/embedded-ground.js';

describeDocuments('the embedded documents', { open: temporaryDocuments, skip: [] });
