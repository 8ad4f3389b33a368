/** The embedded documents hold the documents' contract. */
import { temporaryDocuments } from './contract/embedded-ground.js';
import { describeDocuments } from './documents.contract.js';

describeDocuments('the embedded documents', { open: temporaryDocuments, skip: [] });
