import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";

/** A certificate and its key, as PEM text. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority and what it signed, for 127.0.0.1. */
export interface Certificates {
  readonly authority: Certificate;
  readonly server: Certificate;
  readonly client: Certificate;
  /** A client's that another authority has signed. */
  readonly stranger: Certificate;
  /** Writes a text into a file, and gives its path. */
  file(name: string, text: string): string;
  /** Removes the files. */
  remove(): void;
}

const KEYS = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;

/** Makes an authority of a test's own, a server's certificate and a client's. */
export async function makeCertificates(): Promise<Certificates> {
  const [authority, other] = await Promise.all([make("authority", null), make("other", null)]);
  const [server, client, stranger] = await Promise.all([
    make("server", authority),
    make("client", authority),
    make("stranger", other),
  ]);
  const folder = mkdtempSync(join(tmpdir(), "push-reports-certificates-"));
  return {
    authority,
    server,
    client,
    stranger,
    file: (name, text) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function make(name: string, authority: Certificate | null): Promise<Certificate> {
  const isAuthority = authority === null;
  const { cert, private: key } = await generate([{ name: "commonName", value: name }], {
    ...KEYS,
    extensions: [
      { name: "basicConstraints", cA: isAuthority, critical: true },
      isAuthority
        ? { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true }
        : { name: "keyUsage", digitalSignature: true, critical: true },
      ...(isAuthority
        ? []
        : [{ name: "extKeyUsage" as const, serverAuth: true, clientAuth: true }]),
      { name: "subjectAltName", altNames: [{ type: 7 as const, ip: "127.0.0.1" }] },
    ],
    ...(isAuthority ? {} : { ca: authority }),
  });
  return { cert, key };
}
