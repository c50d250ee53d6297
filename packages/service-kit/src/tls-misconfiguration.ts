/** What a peer's TLS settings are called where somebody would mend them. */
export interface TlsNames {
  /** Whose certificate it is, e.g. "the brokers'". */
  readonly whose: string;
  /** The variable that names the trusted authorities. */
  readonly caFile: string;
  /** Where the host comes from that the certificate must be for. */
  readonly host: string;
}

/** Codes of Node.js' TLS errors for a certificate whose authority is not trusted (OpenSSL's X509_V_ERR_*). */
const NOT_TRUSTED: ReadonlySet<unknown> = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
]);

/** What somebody has to mend, by the code of an error of Node.js' TLS; null when it is none that stays until then. */
export function tlsProblemOf(code: unknown, { whose, caFile, host }: TlsNames): string | null {
  if (NOT_TRUSTED.has(code))
    return `${whose} certificate is not trusted: ${caFile} must name the authority that signed it`;
  if (code === "CERT_HAS_EXPIRED") return `${whose} certificate has expired`;
  if (code === "CERT_NOT_YET_VALID") return `${whose} certificate is not valid yet`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `${whose} certificate is not for ${host}`;
  return null;
}
