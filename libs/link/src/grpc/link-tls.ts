import {
  type ClientTlsOptions,
  type Renewable,
  type TlsMaterial,
  type TlsOptions,
  clientTls,
  serverTls,
} from '@shoal/rpc';

/**
 * Mutual TLS for links: the ends accept each other when their certificates come from the material's authorities and are for
 * one name that all processes of the cluster share. Not for the address: addresses are of machines and pods that come and go,
 * they are announced by members, and whoever has such a certificate is a member.
 */
export interface LinkTls {
  /** All three parts. */
  readonly material: Renewable<TlsMaterial>;
  /** A DNS name in every certificate of the cluster. */
  readonly name: string;
}

/** What the accepting and the opening side of such links are made with. */
export function linkTlsSides({ material, name }: LinkTls): {
  readonly server: Renewable<TlsOptions>;
  readonly client: Renewable<ClientTlsOptions>;
} {
  return { server: serverTls(material, { clientCa: true, clientName: name }), client: clientTls(material, name) };
}
