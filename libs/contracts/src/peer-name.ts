/**
 * Whose certificate a gRPC client expects at addresses of its own machine: TLS knows no names that are IP addresses, and one
 * of localhost and one of 127.0.0.1 are both right there.
 */
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

const loopback = /^127(\.\d{1,3}){3}:\d+(,127(\.\d{1,3}){3}:\d+)*$/;

/** The channel options of an encrypted client of these addresses, `host:port` with commas between. */
export const peerName = (address: string): { 'grpc.ssl_target_name_override'?: string } =>
  loopback.test(address) ? { 'grpc.ssl_target_name_override': 'localhost' } : {};

/** What is wrong with the certificate that a peer shows for a name, if anything is. */
export function checkPeer(name: string, peer: PeerCertificate): Error | undefined {
  const fault = checkServerIdentity(name, peer);
  return fault && name === 'localhost' ? checkServerIdentity('127.0.0.1', peer) : fault;
}
